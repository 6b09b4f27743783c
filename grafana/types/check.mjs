// Writes generated.ts, which gives every committed dashboard to the compiler as a
// value of the type Dashboard. JSON that is imported would have its texts widened
// to string, and no literal type would match. Plain turns enumerations into the
// texts that stand for them in JSON, and lets a query carry what InfluxDB's has,
// an annotation also where Grafana before version 10 looks for it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = '../dashboards';
const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.json'));
const lines = [
  "import type { AnnotationQuery, Dashboard, DataQuery } from '@grafana/schema';",
  'type InfluxQuery = { query: string; rawQuery?: boolean; textEditor?: boolean; textColumn?: string; tagsColumn?: string };',
  'type Fields<T> = { [K in keyof T]: Plain<T[K]> };',
  'type Plain<T> = T extends string ? `${T}` : T extends DataQuery ? Fields<T> & InfluxQuery :',
  '  T extends AnnotationQuery ? Fields<T> & Partial<InfluxQuery> : T extends object ? Fields<T> : T;',
  'export const dashboards: Plain<Dashboard>[] = [',
];
for (const name of files.sort()) {
  lines.push(`// ${name}`, readFileSync(join(folder, name), 'utf8').trim() + ',');
}
lines.push('];', '');
writeFileSync('generated.ts', lines.join('\n'));
console.log(`${files.length} dashboards to check`);
