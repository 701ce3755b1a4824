import type { Warehouse } from "../ports.ts";
import { scramVerifier } from "./scram-verifier.ts";

/** The roles whose passwords the pipeline sets; the owner's belongs to the server. */
export const loginRoles = ["pizza_reader", "pizza_writer"] as const;

/** A login as its secret keeps it. */
export interface Login {
  username: string;
  password: string;
}

/** Lets a role log in with this password, from now on and with no other. Runs as the owner; throws for any other role. */
export async function setPassword(warehouse: Warehouse, { username, password }: Login): Promise<void> {
  const role = loginRoles.find((name) => name === username);
  if (role === undefined) {
    throw new Error(`role ${username} is not one whose password is set here: choose ${loginRoles.join(" or ")}`);
  }
  // The statement takes no parameters; neither of the two texts can hold a quote.
  await warehouse.query(`alter role ${role} login password '${scramVerifier(password)}'`);
}

/** Whether a role may log in now. */
export async function canLogIn(warehouse: Warehouse, username: string): Promise<boolean> {
  const [row] = await warehouse.query<{ can: boolean }>(
    `select rolcanlogin and coalesce(rolvaliduntil > now(), true) as can from pg_roles where rolname = $1`,
    [username],
  );
  return row?.can === true;
}

/** The login in a secret's content; throws where it lacks one of the two. */
export function loginOf(secret: string, content: Partial<Login>): Login {
  const { username, password } = content;
  if (!username || !password) throw new Error(`secret ${secret} has no username and password: write both into it`);
  return { username, password };
}
