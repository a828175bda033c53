// A real identity provider (npm oidc-provider) for tests/page_oidc.rs: anybody signs in by name. Groups are in the ID token for
// `ana`, only at the user information for `ben`, and `eve` has none.
//
// Arguments: the folder with node_modules, the redirect address, the client's secret. Prints its issuer.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [folder, redirect, secret] = process.argv.slice(2);
const entry = createRequire(`${folder}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry));
const groups = { ana: ['Front desk', 'Yoga'], ben: ['Managers'], eve: ['Yoga'] };

const server = createServer((request, response) => provider.callback()(request, response));
let provider;
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provider = new Provider(issuer, {
    clients: [{ client_id: 'doorward', client_secret: secret, redirect_uris: [redirect] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'], groups: ['groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['a key of a test'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: async (use) => ({
        sub: id,
        email: `${id}@example.com`,
        email_verified: true,
        ...(use === 'userinfo' || id !== 'ben' ? { groups: groups[id] ?? [] } : {}),
      }),
    }),
    pkce: { required: () => true },
  });
  console.log(issuer);
});
// Nobody reads on after the first line.
process.stdout.on('error', () => {});
// The test goes away: so does this.
process.stdin.on('end', () => process.exit(0)).resume();
