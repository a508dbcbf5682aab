/** Addresses and URLs: every spelling of what is not public is refused, and of what is public taken. */
import assert from "node:assert/strict";
import { BlockList, isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { notPublic } from "../../../functions/webhooks/address.ts";
import { type Ip, isIn, parseIp, parseNetwork } from "../../../functions/webhooks/ip.ts";
import { PUBLIC_ONLY, targetOf, type TargetRules } from "../../../functions/webhooks/target.ts";

const SEED = 11;

/** Networks that must be refused, written down apart from the table that is tested. */
const REFUSED_IPV4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32", "168.63.129.16/32", "100.100.100.200/32"],
  ...["192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24"],
];
const REFUSED_IPV6 = [
  ...["::/128", "::1/128", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:2::/48", "2001:10::/28"],
  ...["2001:20::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10"],
  ...["ff00::/8", "fd00:ec2::254/128", "4000::/3", "::ffff:0:0:0/96", "2620:4f:8000::/48"],
];

const octets = fc.uint8Array({ minLength: 4, maxLength: 4 });
const words = fc.uint8Array({ minLength: 16, maxLength: 16 });

/** An address of a network: the network's bits, and any others behind them. */
function within(network: string): fc.Arbitrary<Ip> {
  const { base, bits } = parseNetwork(network);
  const any = base.length === 4 ? octets : words;
  return any.map((other) =>
    base.map((byte, i) => {
      const mask = 0xff00 >> Math.min(8, Math.max(0, bits - 8 * i)) & 0xff;
      return byte & mask | other[i] & ~mask & 0xff;
    })
  );
}

const groups = (ip: Ip) => Array.from({ length: 8 }, (_, i) => ip[2 * i] << 8 | ip[2 * i + 1]);

/** The hosts of a URL that lead to an IPv4 address. */
function spellingsOfIpv4(ip: Ip): string[] {
  const [a, b, c, d] = ip;
  const number = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const hex = (value: number) => `0x${value.toString(16)}`;
  const octal = (value: number) => `0${value.toString(8)}`;
  const dotted = `${a}.${b}.${c}.${d}`;
  const high = (a << 8 | b).toString(16), low = (c << 8 | d).toString(16);
  return [
    ...[dotted, `${dotted}.`, String(number), hex(number), octal(number), hex(number).toUpperCase()],
    ...[`${hex(a)}.${octal(b)}.${c}.${hex(d)}`, `${a}.${b}.${c << 8 | d}`, `${a}.${hex(number & 0xffffff)}`],
    dotted.replace(/\d/g, (digit) => `%3${digit}`),
    dotted.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))).replaceAll(".", "\u3002"),
    ...[`[::ffff:${dotted}]`, `[::FFFF:${high}:${low}]`, `[0:0:0:0:0:ffff:${high}:${low}]`],
    ...[`[64:ff9b::${dotted}]`, `[64:ff9b::${high}:${low}]`],
  ];
}

function spellingsOfIpv6(ip: Ip): string[] {
  const all = groups(ip);
  const plain = all.map((group) => group.toString(16)).join(":");
  const full = all.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
  const mixed = `${all.slice(0, 6).map((group) => group.toString(16)).join(":")}:${ip.subarray(12).join(".")}`;
  return [`[${plain}]`, `[${full}]`, `[${mixed}]`, new URL(`https://[${plain}]`).hostname];
}

const refusal = (url: string, rules: TargetRules = PUBLIC_ONLY) => {
  const target = targetOf(url, rules);
  return "refused" in target ? target.refused : null;
};

Deno.test(`targetOf() refuses every spelling of an address that is not public (seed ${SEED})`, () => {
  for (const network of REFUSED_IPV4) {
    fc.assert(
      fc.property(within(network), (ip) => {
        for (const host of spellingsOfIpv4(ip)) {
          assert.match(refusal(`https://${host}/`) ?? "taken", /not public/, host);
        }
        const [a, b, c, d] = ip.map(Number);
        const sixToFour = `[2002:${(a << 8 | b).toString(16)}:${(c << 8 | d).toString(16)}::1]`;
        assert.match(refusal(`https://${sixToFour}/`) ?? "taken", /6to4/);
      }),
      { seed: SEED, numRuns: 40 },
    );
  }
  for (const network of REFUSED_IPV6) {
    fc.assert(
      fc.property(within(network), (ip) => {
        for (const host of spellingsOfIpv6(ip)) {
          assert.match(refusal(`https://${host}/`) ?? "taken", /not public/, host);
        }
      }),
      { seed: SEED, numRuns: 40 },
    );
  }
});

Deno.test(`targetOf() takes public addresses in every spelling, as the address that is connected to (seed ${SEED})`, () => {
  const refused = new BlockList();
  for (const network of REFUSED_IPV4) {
    const [base, bits] = network.split("/");
    refused.addSubnet(base, Number(bits), "ipv4");
  }
  fc.assert(
    fc.property(octets, (ip) => {
      fc.pre(!refused.check(ip.join("."), "ipv4"));
      for (const host of spellingsOfIpv4(ip)) {
        const target = targetOf(`https://${host}/`, PUBLIC_ONLY);
        assert.ok(!("refused" in target), host);
        assert.ok(target.isAddress);
        assert.deepEqual([...parseIp(target.host)!.subarray(-4)], [...ip], host);
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
  fc.assert(
    fc.property(within("2600::/12"), (ip) => {
      fc.pre(!isIn(ip, parseNetwork("2620:4f:8000::/48")));
      for (const host of spellingsOfIpv6(ip)) assert.equal(refusal(`https://${host}/`), null, host);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("notPublic() draws each network's border where the registry does", () => {
  const borders = {
    "9.255.255.255": false,
    "10.0.0.0": true,
    "10.255.255.255": true,
    "11.0.0.0": false,
    "100.63.255.255": false,
    "100.64.0.0": true,
    "100.127.255.255": true,
    "100.128.0.0": false,
    "172.15.255.255": false,
    "172.16.0.0": true,
    "172.31.255.255": true,
    "172.32.0.0": false,
    "198.17.255.255": false,
    "198.18.0.0": true,
    "198.19.255.255": true,
    "198.20.0.0": false,
    "223.255.255.255": false,
    "224.0.0.0": true,
    "2001:1ff:ffff::": true,
    "2001:200::": false,
    "2001:db7:ffff::": false,
    "2001:db9::": false,
    "2003::": false,
    "3fff:fff:ffff::": true,
    "3fff:1000::": false,
    "64:ff9b::808:808": false,
    "64:ff9b::a00:1": true,
    "64:ff9b:0:0:0:1:808:808": true,
    "::ffff:8.8.8.8": false,
    "::8.8.8.8": true,
  };
  for (const [address, refused] of Object.entries(borders)) {
    assert.equal(notPublic(parseIp(address)!) !== null, refused, address);
  }
});

Deno.test("notPublic() says what an address is", () => {
  const names = {
    "169.254.169.254": "link-local",
    "100.100.100.200": "shared by a carrier's NAT",
    "::": "unspecified",
    "::1": "loopback",
    "::7f00:1": "IPv4-compatible",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:0:127.0.0.1": "IPv4-translated",
    "64:ff9b::127.0.0.1": "loopback",
    "64:ff9b:1::7f00:1": "translation within a network",
    "100::1": "discard-only",
    "100:0:0:1::1": "dummy prefix",
    "2001:0:1::1": "Teredo",
    "2001:2::1": "IETF protocol assignments",
    "2002:7f00:1::1": "6to4",
    "5f00::1": "segment routing",
    "fd00:ec2::254": "unique local",
    "fe80::1": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "4000::1": "not assigned",
  };
  for (const [address, what] of Object.entries(names)) assert.equal(notPublic(parseIp(address)!), what, address);
});

Deno.test("notPublic() lets allowed networks be called, and only those", () => {
  const allowed = [parseNetwork("10.1.0.0/16"), parseNetwork("fd12::/16"), parseNetwork("127.0.0.1")];
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "127.0.0.1", "8.8.8.8"]) {
    assert.equal(notPublic(parseIp(address)!, allowed), null, address);
  }
  for (const address of ["10.2.0.1", "fd13::1", "127.0.0.2", "169.254.169.254", "::1"]) {
    assert.notEqual(notPublic(parseIp(address)!, allowed), null, address);
  }
});

Deno.test(`isIn() agrees with another implementation, parseIp() with two (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.oneof(octets, words), fc.nat(128), fc.nat(127), (base, length, flip) => {
      const bits = length % (8 * base.length + 1);
      const ip = base.slice();
      ip[(flip >> 3) % ip.length] ^= 1 << flip % 8;
      const family = base.length === 4 ? "ipv4" : "ipv6";
      const text = (bytes: Ip) =>
        bytes.length === 4 ? bytes.join(".") : groups(bytes).map((g) => g.toString(16)).join(":");
      const list = new BlockList();
      list.addSubnet(text(base), bits, family);
      assert.equal(isIn(ip, parseNetwork(`${text(base)}/${bits}`)), list.check(text(ip), family));
      assert.deepEqual([...parseIp(text(ip))!], [...ip]);
    }),
    { seed: SEED, numRuns: 500 },
  );
  const part = fc.constantFrom(
    "",
    ":",
    "::",
    "0",
    "1",
    "ff",
    "ffff",
    "00001",
    "g",
    "1.2.3.4",
    "1.2.3",
    "256.1.1.1",
    "01.2.3.4",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), fc.boolean(), (parts, colons) => {
      const text = parts.join(colons ? ":" : "");
      assert.equal(parseIp(text) !== null, isIPv4(text) || isIPv6(text), text);
      if (isIPv6(text)) assert.deepEqual(parseIp(new URL(`http://[${text}]`).hostname), parseIp(text), text);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

Deno.test("parseIp() and parseNetwork() refuse loose spellings and zones", () => {
  for (
    const text of ["127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "1.2.3.4 ", "[1.2.3.4]", "fe80::1%eth0", "::1%1"]
  ) {
    assert.equal(parseIp(text), null, text);
  }
  for (const text of ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "10/8", "::/129", "", "host/8"]) {
    assert.throws(() => parseNetwork(text), RangeError, text);
  }
});

Deno.test("targetOf() refuses other schemes, user names, ports of other protocols and local names", () => {
  const refused: Record<string, RegExp> = {
    "http://receiver.example.com/": /not https/,
    "ftp://receiver.example.com/": /not https/,
    "file:///etc/passwd": /not https/,
    "data:text/plain,x": /not https/,
    "javascript:alert(1)": /not https/,
    "receiver.example.com/hook": /absolute/,
    "//receiver.example.com/": /absolute/,
    "": /absolute/,
    "https://user@receiver.example.com/": /user name/,
    "https://:word@receiver.example.com/": /user name/,
    "https://receiver.example.com:25/": /port 25/,
    "https://receiver.example.com:22/": /port 22/,
    "https://receiver.example.com:0/": /port 0/,
    "https://localhost/": /local use/,
    "https://LOCALHOST./": /local use/,
    "https://a.localhost:8443/": /local use/,
    "https://db.internal/": /local use/,
    "https://printer.local./": /local use/,
    "https://metadata.google.internal/": /local use/,
    "https://router.home.arpa/": /local use/,
    "https://intranet/": /local use/,
    "https://l%6Fcalhost/": /local use/,
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/": /local use/,
    "https://[fe80::1%25eth0]/": /absolute/,
    "https://[fe80::1%eth0]/": /absolute/,
    "https://1.2.3.4.5/": /absolute/,
    "https://256.0.0.1/": /absolute/,
    [`https://receiver.example.com/${"x".repeat(2048)}`]: /longer/,
  };
  for (const [url, why] of Object.entries(refused)) assert.match(refusal(url) ?? "taken", why, url.slice(0, 80));
  assert.match(refusal("https://receiver.example.com.../") ?? "taken", /not a name|absolute/);
  for (
    const url of [
      "https://receiver.example.com/hook?x=1",
      "https://receiver.example.com:8443/",
      "https://xn--bcher-kva.example.net/",
      "https://notlocalhost.com/",
      "https://internal.example.com/",
      "https://mylocal.dev./",
    ]
  ) assert.equal(refusal(url), null, url);
});

Deno.test("targetOf() allows http and private networks where rules say so, and nothing beside", () => {
  const rules = { http: true, networks: [parseNetwork("10.0.0.0/8")] };
  for (
    const url of [
      "http://10.1.2.3:8080/",
      "https://10.1.2.3/",
      "http://receiver.internal/",
      "http://receiver.example.com/",
    ]
  ) {
    assert.equal(refusal(url, rules), null, url);
  }
  for (
    const url of [
      "http://127.0.0.1/",
      "http://169.254.169.254/",
      "http://[::1]/",
      "ftp://10.1.2.3/",
      "http://10.1.2.3:22/",
    ]
  ) {
    assert.notEqual(refusal(url, rules), null, url);
  }
  assert.match(refusal("http://localhost/", { http: true, networks: [] }) ?? "taken", /local use/);
});
