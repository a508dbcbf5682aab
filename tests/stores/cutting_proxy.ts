/** A way to a server on which answers get lost: the server has done what was asked, and the connection breaks. */
export interface CuttingProxy {
  readonly url: string;
  /** Loses this many of the next answers. */
  cut(answers: number): void;
  /** Answers lost so far. */
  readonly lost: () => number;
  close(): Promise<void>;
}

export function cuttingProxy(target: URL): CuttingProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const pairs: Promise<void>[] = [];
  let toCut = 0;
  let lost = 0;

  function end(connection: Deno.Conn): void {
    if (!open.delete(connection)) return;
    connection.close();
  }

  async function copy(from: Deno.Conn, to: Deno.Conn, isAnswer: boolean): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        if (isAnswer && toCut > 0) {
          toCut--;
          lost++;
          break;
        }
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
      }
    } catch {
      // one end is gone: so is the other
    }
    end(from);
    end(to);
  }

  const accepting = (async () => {
    for await (const client of listener) {
      open.add(client);
      pairs.push((async () => {
        let server: Deno.Conn;
        try {
          server = await Deno.connect({ hostname: target.hostname, port: Number(target.port) });
        } catch {
          return end(client);
        }
        open.add(server);
        await Promise.all([copy(client, server, false), copy(server, client, true)]);
      })());
    }
  })();

  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    cut: (answers) => void (toCut = answers),
    lost: () => lost,
    async close() {
      listener.close();
      await accepting;
      for (const connection of [...open]) end(connection);
      await Promise.all(pairs);
    },
  };
}
