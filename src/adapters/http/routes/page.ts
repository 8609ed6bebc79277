/** The live page, as plain files, and the form that lets a browser in where a token is set. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access.ts';

const UI = fileURLToPath(new URL('../../../ui/', import.meta.url));
const UPLOT = dirname(fileURLToPath(import.meta.resolve('uplot/dist/uPlot.esm.js')));
const LOGIN_BYTES_MAX = 4_096;

export async function pageRoutes(app: FastifyInstance, access: Access): Promise<void> {
  const hidden = { hide: true };
  await app.register(fastifyStatic, { root: UI, serve: false, cacheControl: false });
  // Revalidated each time, so that a new version is seen at once.
  const noCache = { 'cache-control': 'no-cache' };
  app.get('/', { schema: hidden }, (_request, reply) => reply.headers(noCache).sendFile('index.html'));
  for (const name of ['uPlot.esm.js', 'uPlot.min.css'])
    app.get(`/ui/vendor/${name}`, { schema: hidden }, (_request, reply) =>
      reply.headers(noCache).sendFile(name, UPLOT),
    );
  app.get<{ Params: { '*': string } }>(
    '/ui/*',
    { schema: hidden, config: { isOpen: true } },
    (request, reply) => reply.headers(noCache).sendFile(request.params['*']),
  );
  app.get('/favicon.ico', { schema: hidden, config: { isOpen: true } }, (_request, reply) =>
    reply.headers(noCache).type('image/svg+xml').sendFile('icon.svg'),
  );
  if (access.hasToken) loginRoutes(app, access);
}

function loginRoutes(app: FastifyInstance, access: Access): void {
  const options = { schema: { hide: true }, config: { isOpen: true } };
  app.get('/login', options, (_request, reply) => reply.sendFile('login.html', join(UI)));
  // In a scope of its own: forms are understood nowhere else.
  void app.register((scope, _options, done) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: LOGIN_BYTES_MAX },
      (_request, body, parsed) => parsed(null, new URLSearchParams(body.toString())),
    );
    scope.post<{ Body: URLSearchParams }>('/login', options, (request, reply) => {
      const token = request.body instanceof URLSearchParams ? (request.body.get('token') ?? '') : '';
      const cookie = access.login(token.trim());
      if (cookie === null) return reply.redirect('/login?wrong', 303);
      return reply.header('set-cookie', cookie).redirect('/', 303);
    });
    done();
  });
}
