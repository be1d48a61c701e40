export const TARGETS: { readonly widget: readonly string[]; readonly console: readonly string[] };
export const EDITIONS: { readonly widget: number; readonly console: number };
