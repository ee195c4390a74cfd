/** How a worker's own memory is kept (vitest.config.ts) is not for the programs that tests start: those run as users run them. */
delete process.env.GLIBC_TUNABLES;
