/** JSON with line breaks, for reading; anything else as it is. */
export function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** An answer for reading: beside it, as the model gave it, when that says something else than it does by its schema. */
export function answerTexts(answer: string, parsed?: unknown): { answer: string; given?: string } {
  const given = readable(answer);
  if (parsed === undefined) return { answer: given };
  const bySchema = JSON.stringify(parsed, null, 2);
  return bySchema === given ? { answer: given } : { answer: bySchema, given: answer };
}
