// A Vendure shop that sells one season pass, to be judged: `node server.mjs --modules DIR --ready-file F [--port N]
// [--price MINOR_UNITS]`. On loopback, port 0 takes a free one. When the shop is open its address is in the ready file.
// SIGTERM closes it. The data lives in this process and goes with it. VENDURE_ADMIN_PASSWORD is the back office's.
import { renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Office } from './office.mjs';

const START_LIMIT = 180_000; // a loaded machine; 3 to 11 s on an idle one
const STOP_LIMIT = 5_000;
const TURN_LIMIT = 60_000; // a request that never answers holds nobody up for ever

const { values: options } = parseArgs({
  options: {
    modules: { type: 'string' },
    port: { type: 'string', default: '0' },
    price: { type: 'string', default: '1490' },
    'ready-file': { type: 'string' },
  },
});
if (!options.modules || !process.env.VENDURE_ADMIN_PASSWORD) {
  console.error('usage: VENDURE_ADMIN_PASSWORD=… node server.mjs --modules DIR [--port N] [--price N] [--ready-file F]');
  process.exit(64);
}

process.env.VENDURE_DISABLE_TELEMETRY = 'true';
const require = createRequire(join(resolve(options.modules), 'package.json'));
const { bootstrap, dummyPaymentHandler, DefaultLogger, LogLevel } = require('@vendure/core');

const tooLate = setTimeout(() => {
  console.error(`the shop did not open in ${START_LIMIT / 1000} s`);
  process.exit(1);
}, START_LIMIT);

let app;
let stopping = false;
const stop = async () => {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(1), STOP_LIMIT).unref();
  await app?.close();
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

// SQLite has one connection here, and a transaction on it is everybody's: two mutations at once would commit or lose each
// other's work. So requests take turns, from their first byte to their answer.
let turn = Promise.resolve();
const takeTurns = (request, response, next) => {
  let done;
  const mine = new Promise((ended) => { done = ended; });
  const before = turn;
  turn = turn.then(() => mine);
  const end = response.end;
  response.end = (...rest) => { done(); return end.apply(response, rest); };
  before.then(() => { setTimeout(done, TURN_LIMIT).unref(); next(); });
};

app = await bootstrap({
  logger: new DefaultLogger({ level: LogLevel.Error, timestamp: false }),
  apiOptions: {
    hostname: '127.0.0.1',
    port: Number(options.port),
    cors: false,
    middleware: [{ handler: takeTurns, route: '/', beforeListen: true }],
  },
  authOptions: {
    tokenMethod: 'bearer',
    // A pilot customer has no mailbox, so an account works as soon as it is made. Vendure asks for verification by
    // default; a shop that keeps it gives the pilot standing accounts instead (`accounts:` in the plan).
    requireVerification: false,
    superadminCredentials: { identifier: 'superadmin', password: process.env.VENDURE_ADMIN_PASSWORD },
  },
  // SQLite compiled to WebAssembly: nothing to compile, no file to leave behind.
  dbConnectionOptions: { type: 'sqljs', synchronize: true, autoSave: false, logging: false },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  // Where the plan writes its own key of an order, so that the order is found again when its answer was lost. Such a
  // field is Vendure's documented way of adding to an order.
  customFields: { Order: [{ name: 'puckdropKey', type: 'string', nullable: true, public: true }] },
});
const url = `http://127.0.0.1:${app.getHttpServer().address().port}`;
const office = await Office.login(url, process.env.VENDURE_ADMIN_PASSWORD);
await office.seed({ price: Number(options.price) });
clearTimeout(tooLate);
if (options['ready-file']) {
  writeFileSync(`${options['ready-file']}.new`, url + '\n');
  renameSync(`${options['ready-file']}.new`, options['ready-file']);
}
console.log(url);
