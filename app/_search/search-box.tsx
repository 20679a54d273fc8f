/** A plain GET form: it works without JavaScript, and every search has a URL. */
export function SearchBox({ q }: { q: string }) {
  return (
    <search>
      <form className="search" action="/" method="get">
        <label className="visually-hidden" htmlFor="q">
          Search posts by meaning
        </label>
        <input
          id="q"
          name="q"
          type="search"
          defaultValue={q}
          key={q}
          maxLength={1000}
          required
          autoComplete="off"
          placeholder="Search by meaning"
        />
        <button type="submit">Search</button>
      </form>
    </search>
  );
}
