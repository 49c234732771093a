// Preloaded before everything else: tests speak to this machine alone, while the instrumentation's cloud
// detectors would ask the metadata addresses of four clouds where they run. It leaves the instrumentation as it is.
'use strict';

const net = require('node:net');

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const [options] = net._normalizeArgs(Array.isArray(args[0]) ? args[0] : args);
  const host = options.host ?? 'localhost';
  if (!options.path && host !== 'localhost' && host !== '::1' && !host.startsWith('127.')) {
    process.nextTick(() => this.destroy(Object.assign(new Error(`not loopback: ${host}`), { code: 'ENETUNREACH' })));
    return this;
  }
  return connect.apply(this, args);
};
