// An identity provider that lies. It knows nobody and has no page: whoever tests goes straight back to the gateway with a code, which
// is what the ID token is to say, as JSON in base64url, beside how it lies about it. tests/page_oidc_hostile.rs drives it.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [folder, secret] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const jose = await import(pathToFileURL(require.resolve('jose')));

const pair = () => jose.generateKeyPair('RS256', { extractable: true });
let ours = await pair();
let number = 1;
let subject = '7';

async function token(order) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'doorward', sub: '7', iat: now, exp: now + 300, ...order.claims };
  const header = { alg: 'RS256', kid: `key-${number}` };
  if (order.lie === 'unsigned') return new jose.UnsecuredJWT(claims).encode();
  if (order.lie === 'shared secret') {
    return new jose.SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
  }
  if (order.lie === 'other key') return new jose.SignJWT(claims).setProtectedHeader(header).sign((await pair()).privateKey);
  if (order.lie === 'new key') [ours, number] = [await pair(), number + 1];
  return new jose.SignJWT(claims).setProtectedHeader({ ...header, kid: `key-${number}` }).sign(ours.privateKey);
}

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { pathname } = new URL(request.url, issuer);
  const tell = (document) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(document));
  };
  if (pathname === '/.well-known/openid-configuration') {
    return tell({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  }
  if (pathname === '/keys') {
    return tell({ keys: [{ ...(await jose.exportJWK(ours.publicKey)), kid: `key-${number}`, use: 'sig', alg: 'RS256' }] });
  }
  if (pathname === '/userinfo') return tell({ sub: subject, groups: ['Managers'] });
  const order = JSON.parse(Buffer.from(new URLSearchParams(body).get('code'), 'base64url'));
  subject = order.lie === 'somebody else' ? '8' : '7';
  const more = order.lie === 'no token' ? {} : { id_token: await token(order) };
  return tell({ access_token: 'a', token_type: 'Bearer', expires_in: 300, ...more });
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
process.stdout.write(`${issuer}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
