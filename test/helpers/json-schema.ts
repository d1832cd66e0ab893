/** Whether a value satisfies a schema: the definitions of JSON Schema 2020-12, one after another. */
type Schema = Record<string, any>;

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export function satisfies(value: any, schema: any, root: any = schema): boolean {
  if (typeof schema === 'boolean') return schema;
  const s = schema as Schema, is = (v: unknown, sub: unknown): boolean => satisfies(v, sub, root);
  if (s.$ref) {
    const path = (s.$ref as string).split('/').slice(1);
    return is(value, path.reduce((at, key) => at[key], root));
  }
  const types = [s.type ?? []].flat();
  if (types.length > 0 && !types.some((t) => t === typeOf(value) ||
    (t === 'integer' && Number.isInteger(value)))) return false;
  if ('const' in s && !same(value, s.const)) return false;
  if (s.enum && !s.enum.some((v: unknown) => same(v, value))) return false;
  if (s.anyOf && !s.anyOf.some((sub: unknown) => is(value, sub))) return false;
  if (s.oneOf && s.oneOf.filter((sub: unknown) => is(value, sub)).length !== 1) return false;
  if (s.allOf && !s.allOf.every((sub: unknown) => is(value, sub))) return false;
  if (typeof value === 'number') return !(value < s.minimum || value > s.maximum ||
    value <= s.exclusiveMinimum || value >= s.exclusiveMaximum);
  if (typeof value === 'string') {
    const length = [...value].length;
    return !(length < s.minLength || length > s.maxLength) &&
      (!s.pattern || new RegExp(s.pattern, 'u').test(value));
  }
  if (Array.isArray(value)) {
    const prefix = s.prefixItems ?? [];
    return !(value.length < s.minItems || value.length > s.maxItems) &&
      value.every((v, i) => is(v, i < prefix.length ? prefix[i] : s.items ?? true));
  }
  if (typeOf(value) !== 'object') return true;
  return (s.required ?? []).every((key: string) => Object.hasOwn(value, key)) &&
    Object.entries(value).every(([key, v]) =>
      is(v, Object.hasOwn(s.properties ?? {}, key) ? s.properties[key] : s.additionalProperties ?? true));
}
