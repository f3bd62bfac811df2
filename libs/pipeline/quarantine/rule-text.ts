import type { FieldParser, Source, TableDefinition } from '#contracts';

/** What a rule's name stands for, for people. */
export function ruleText(rule: string, { contract }: TableDefinition, source: Source): string {
  if (rule === 'malformed') return 'the record cannot be told apart into fields';
  if (rule === 'overflow') return 'a value that follows from the record does not fit its type';
  if (rule === 'order_missing') return 'its order is not there (yet): it comes back by itself with the order';
  const field = rule.startsWith('cast_') ? rule.slice('cast_'.length) : undefined;
  const parser = field === undefined ? undefined : source.fields[field];
  if (parser !== undefined) return `${field} cannot be read as ${kindText(parser)}`;
  const own = 'rules' in contract ? contract.rules.find(({ name }) => name === rule) : undefined;
  return own?.description ?? rule;
}

function kindText(parser: FieldParser): string {
  switch (parser.kind) {
    case 'id':
    case 'text':
      return 'text';
    case 'integer':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'date':
      return 'a date';
    case 'timestamp':
      return 'a time';
    case 'decimal':
      return `a number with ${parser.scale} decimal places`;
    case 'json':
      return 'a JSON object';
  }
}
