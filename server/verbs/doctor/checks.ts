import { alerts } from './alerts.ts';
import { bucket } from './bucket.ts';
import type { Check } from './check.ts';
import { clock } from './clock.ts';
import { database } from './database.ts';
import { disk, temp } from './disk.ts';
import { git } from './git.ts';
import { keys } from './keys.ts';
import { links } from './links.ts';
import { backup, metrics } from './metrics.ts';
import { objectStore } from './object-store.ts';
import { objects } from './objects.ts';
import { proxy } from './proxy.ts';
import { publicUrl } from './public-url.ts';
import { replicas } from './replicas.ts';
import { server } from './server.ts';
import { settings } from './settings.ts';
import { certificate, tls } from './tls.ts';
import { trace } from './trace.ts';

/** Everything that `feed:doctor` looks at, in this order: what others need comes before them. Explained in docs/operate/doctor.md. */
export const checks: readonly Check[] = [
  settings,
  server,
  disk,
  temp,
  publicUrl,
  tls,
  certificate,
  links,
  bucket,
  proxy,
  clock,
  database,
  objectStore,
  objects,
  git,
  replicas,
  metrics,
  backup,
  keys,
  trace,
  alerts,
];
