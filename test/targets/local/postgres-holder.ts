// Runs an embedded PostgreSQL as a local pipeline does, until it is stopped. Prints the server's pid once it answers.
import { startPostgres } from "../../../targets/local/postgres.ts";

const [dir = "", end] = process.argv.slice(2);
const { pid } = await startPostgres({ dir });
process.stdout.write(`${pid}\n`);
if (end !== "at once") setInterval(() => {}, 1000);
