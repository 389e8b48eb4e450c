/** The application's root: this file is two folders below it. Pages work under any sub-path that a proxy gives us. */
export const root = new URL("../../", import.meta.url);
