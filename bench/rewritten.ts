export async function runRewritten(_rounds: number, _json: string | undefined): Promise<void> {}
