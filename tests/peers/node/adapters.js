// The adapters by which several Node peers are one server, chosen by the environment:
//
//   ADAPTER        none (the default), redis, redis-sharded, redis-streams, postgres, postgres-guarded, cluster
//   REDIS_PORT     the port of Redis on the loopback interface
//   POSTGRES_PORT  the port of PostgreSQL there; the database and the user are `postgres`, without a password
//   POSTGRES_POOL  how many connections there may be to it: 10, as by default
//
// Each is set up as its own README shows, with its own defaults, but for `postgres-guarded`: what its README shows ends the
// process when the database ends a connection. `cluster` needs `sticky.js`, which forks its nodes.
import pg from "pg";
import { createClient } from "redis";
import { createAdapter as clusterAdapter } from "@socket.io/cluster-adapter";
import { createAdapter as postgresAdapter } from "@socket.io/postgres-adapter";
import { createAdapter as redisAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as streamsAdapter } from "@socket.io/redis-streams-adapter";

const adapters = {
  none: () => undefined,
  redis: async (env) => redisAdapter(await redis(env), await redis(env)),
  "redis-sharded": async (env) => createShardedAdapter(await redis(env), await redis(env)),
  "redis-streams": async (env) => streamsAdapter(await redis(env)),
  postgres: async (env) => postgresAdapter(await postgres(env)),
  "postgres-guarded": async (env) => postgresAdapter(await postgres(env, guard)),
  cluster: () => clusterAdapter(),
};

/** The adapter that the environment asks for, as the option of `Server`. */
export async function adapterOf(env) {
  const adapter = adapters[env.ADAPTER || "none"];
  if (!adapter) {
    console.error(`ADAPTER is none of ${Object.keys(adapters).join(", ")}: ${env.ADAPTER}`);
    process.exit(2);
  }
  return adapter(env);
}

async function redis(env) {
  const client = createClient({ url: `redis://127.0.0.1:${env.REDIS_PORT ?? 6379}` });
  // It connects again by itself.
  client.on("error", (error) => console.error(`redis: ${error.message || error.code}`));
  await client.connect();
  return client;
}

/** The adapter listens on a connection of its own, whose errors nobody else takes. */
function guard(pool) {
  pool.on("connect", (client) => client.on("error", (error) => console.error(`postgres: ${error.message}`)));
}

async function postgres(env, prepare = () => {}) {
  const [port, max] = [Number(env.POSTGRES_PORT ?? 5432), Number(env.POSTGRES_POOL ?? 10)];
  const pool = new pg.Pool({ host: "127.0.0.1", port, user: "postgres", max });
  pool.on("error", (error) => console.error(`postgres: ${error.message}`));
  prepare(pool);
  // Several nodes that start together may all find that it does not exist.
  const table = "CREATE TABLE IF NOT EXISTS socket_io_attachments";
  const columns = "(id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea)";
  await pool.query(`${table} ${columns}`).catch(() => pool.query(`${table} ${columns}`));
  return pool;
}
