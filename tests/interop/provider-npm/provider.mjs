// An OpenID Provider that we did not write (node-oidc-provider), for people to sign in at. It is told by one JSON
// argument where it is and who its client is, says "ready" when it listens, and ends with its standard input.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const told = JSON.parse(process.argv[2]);

const people = {
  grace: {
    preferred_username: "grace",
    name: "Grace Guest",
    email: "grace@guests.example",
    email_verified: true,
    groups: ["operators"],
  },
};

const provider = new Provider(told.issuer, {
  clients: [told.client],
  cookies: { keys: ["a key for this test alone"] },
  claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email", "email_verified"] },
  features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  // Its own one refuses addresses of this machine, which is where the tests are.
  fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
});

provider.on("server_error", (_, error) => console.error(error));
provider.on("backchannel.error", (_, error) => console.error("backchannel", error));

const { hostname, port } = new URL(told.issuer);
createServer(provider.callback()).listen(Number(port), hostname, () => console.log("ready"));
process.stdin.on("end", () => process.exit(0)).resume();
