import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AstNode } from './ast';
import type { SqlFault } from './portable-sql';
import { ROOT } from './root';

const CACHE = join(ROOT, 'node_modules', '.cache', 'lake', 'portable');
/** What the verdict depends on beside the SQL. */
const RULES = ['./portable-sql', './sql', './ast', 'dt-sql-parser/package.json'];

let rules: Buffer | undefined;
const readRules = () => Buffer.concat(RULES.map((rule) => readFileSync(require.resolve(rule))));

/** As `portabilityFaults`, by a file of the cache for SQL that has none: the grammars of two dialects take seconds. */
export function portabilityFaults(sql: string, ast: AstNode): readonly SqlFault[] {
  rules ??= readRules();
  const hash = createHash('sha256')
    .update(JSON.stringify([sql, ast]))
    .update(rules);
  const known = join(CACHE, hash.digest('hex'));
  if (existsSync(known)) return [];
  const { portabilityFaults } = require('./portable-sql') as typeof import('./portable-sql');
  const faults = portabilityFaults(sql, ast);
  if (faults.length > 0) return faults;
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(known, '');
  } catch {
    // A folder that cannot be written costs time, and nothing else.
  }
  return faults;
}
