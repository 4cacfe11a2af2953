import { deleteIntegration } from './delete-integration.ts';
import { getIntegration } from './get-integration.ts';
import type { IntegrationService } from './integration-service.ts';
import { putIntegration } from './put-integration.ts';
import { testIntegration } from './test-integration.ts';
import { updateIntegration } from './update-integration.ts';

/** The operations on one service; they are the same for all. */
export function toOperations<Given extends object, Shown extends object, Name extends string>(
  service: IntegrationService<Given, Shown, Name>,
) {
  return {
    put: putIntegration(service),
    get: getIntegration(service),
    update: updateIntegration(service),
    test: testIntegration(service),
    delete: deleteIntegration(service),
  };
}
