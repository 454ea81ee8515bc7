// A form over something that others may change while it is open.

/**
 * Show what holds. Once something else held before, a field that was changed since stays as the person has it.
 * @template T
 * @param {Map<HTMLInputElement | HTMLSelectElement, (held: T) => string | boolean>} fields what each shows
 * @param {T} held @param {T} [before]
 */
export function fill(fields, held, before) {
  for (const [field, shown] of fields) {
    if (field.type !== "checkbox") {
      if (before === undefined || field.value === shown(before)) field.value = String(shown(held));
    } else if (field instanceof HTMLInputElement && (before === undefined || field.checked === shown(before))) {
      field.checked = shown(held) === true;
    }
  }
}
