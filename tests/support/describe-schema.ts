import pg from 'pg';

const TABLES = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'design')`;
/** Rights of all but the owner, whose name differs from database to database. */
const RIGHTS = `(acl.privilege_type || ' to ' || CASE acl.grantee WHEN 0 THEN 'all' ELSE acl.grantee::regrole::text END)`;

/** Each gives lines of text. The order of a table's columns is told by none: no statement depends on it. */
const questions = {
  columns: `SELECT format('%s.%s.%s %s%s %s %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attnotnull THEN ' NOT NULL' END, a.attidentity::text || a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid))
    FROM ${TABLES} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relkind IN ('r', 'p', 'v')`,
  constraints: `SELECT format('%s %s %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
    FROM ${TABLES} JOIN pg_constraint k ON k.conrelid = c.oid`,
  indexes: `SELECT pg_get_indexdef(i.indexrelid) FROM ${TABLES} JOIN pg_index i ON i.indrelid = c.oid`,
  security: `SELECT format('%s %s %s %s', c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity)
    FROM ${TABLES} WHERE c.relkind IN ('r', 'p', 'v')`,
  policies: `SELECT format('%s %s %s %s %s %s %s', tablename, policyname, permissive, roles, cmd, qual, with_check)
    FROM pg_policies`,
  grants: `SELECT format('%s %s', c.relname, ${RIGHTS}) FROM ${TABLES}, aclexplode(c.relacl) acl WHERE acl.grantee <> c.relowner`,
  columnGrants: `SELECT format('%s.%s %s', c.relname, a.attname, ${RIGHTS})
    FROM ${TABLES} JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) acl WHERE acl.grantee <> c.relowner`,
  triggers: `SELECT pg_get_triggerdef(t.oid) FROM ${TABLES} JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal`,
  functions: `SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')`,
  views: `SELECT format('%s.%s %s', n.nspname, c.relname, pg_get_viewdef(c.oid)) FROM ${TABLES} WHERE c.relkind = 'v'`,
};

/** Everything of a database that migrations make, as sorted lines. */
export async function describeSchema(url: string): Promise<Record<string, string[]>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const described: Record<string, string[]> = {};
    for (const [what, sql] of Object.entries(questions)) {
      const { rows } = await client.query<[string]>({ text: sql, rowMode: 'array' });
      described[what] = rows.map(([line]) => line).sort();
    }
    return described;
  } finally {
    await client.end();
  }
}
