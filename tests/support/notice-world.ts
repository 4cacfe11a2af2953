import { expect } from 'vitest';
import type { ScriptedUpstream } from './scripted-upstream.ts';
import type { App, Creator } from './start-app.ts';

export interface Notice {
  id: string;
  event: string;
  severity: string;
  subject: string;
  title: string;
  body: string;
  data: Record<string, unknown>;
  isRead: boolean;
}

export const openRouterPath = '/api/user/integrations/openrouter';

/** An app that tells what happens by these servers, in the place of Telegram, Discord and a webhook's owner. */
export function openNoticeWorld(app: { readonly current: App }, servers: readonly ScriptedUpstream[]) {
  const simulator = () => app.current.sandbox?.openRouter ?? expect.unreachable('the sandbox has a simulator');
  const inbox = async (of: Creator, query = ''): Promise<Notice[]> => {
    const { body: page } = await of.call('GET', `/api/user/notices?limit=100${query}`);
    return page['items'] as Notice[];
  };
  return {
    app,
    servers,
    simulator,
    control: () => simulator().control,
    server: (index: number): ScriptedUpstream => servers[index] ?? expect.unreachable('three are started'),
    inbox,
    /** What was told of an event, and of one subject of it, oldest first. */
    told: async (of: Creator, event: string, subject?: string): Promise<Notice[]> => {
      const all = (await inbox(of, `&event=${event}`)).toReversed();
      return all.filter((notice) => subject === undefined || notice.subject === subject);
    },
    /** Two processes would do no other than one that looks twice. */
    look: async (): Promise<void> => {
      const { notices } = app.current;
      await Promise.all([notices.watchMoney(), notices.watchMoney()]);
      await notices.watchCatalogue();
      await notices.watchCatalogue();
    },
  };
}

export type NoticeWorld = ReturnType<typeof openNoticeWorld>;
