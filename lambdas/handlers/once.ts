/**
 * Makes a thing at the first call and keeps it, so that a warm function opens its clients once. One that could not be
 * made is tried again at the next call.
 */
export function once<Thing>(make: () => Promise<Thing>): () => Promise<Thing> {
  let made: Promise<Thing> | undefined;
  return async () => {
    made ??= make();
    try {
      return await made;
    } catch (error) {
      made = undefined;
      throw error;
    }
  };
}
