// Runs every audit of graphql-http against the endpoint named by the first argument; prints [{ name, status, reason }].
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ name: `${id} ${name}`, status, reason }))));
