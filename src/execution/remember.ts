/** Makes something of an object once and keeps it as long as the object: versions are immutable, so it never goes stale. */
export function remember<Of extends object, T>(make: (of: Of) => T): (of: Of) => T {
  const made = new WeakMap<Of, { value: T }>();
  return (of) => {
    const known = made.get(of);
    if (known) {
      return known.value;
    }
    const value = make(of);
    made.set(of, { value });
    return value;
  };
}
