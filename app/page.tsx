export default function Page() {
  return <h1>Aftercommit</h1>;
}
