"""Runs wal-s and a shell pipe in turn and compares wall time, processor time and memory (called by Benchmarks/run).

    measure.py wal-push ROUNDS BINARY WORK PREVIOUS-SEGMENT SEGMENT
    measure.py backup-push ROUNDS BINARY WORK DATA-DIRECTORY

The S3 server is described by the variables of scripts/s3-server. Every process is reaped by wait4: processor time is
user and system time of all processes of a contestant, memory the sum of their peaks. A process's peak is never shown
below this program's own (about 9 MiB): Linux counts the memory of the parent before exec.
"""
import hashlib
import hmac
import os
import socket
import sys
import threading
import time

MIB = 1 << 20


def environment(name):
    return os.environ[name]


def signature_key(date):
    key = ("AWS4" + environment("AWS_SECRET_ACCESS_KEY")).encode()
    for part in (date, environment("AWS_REGION"), "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def quoted(text, safe="-._~"):
    return "".join(c if c.isascii() and (c.isalnum() or c in safe) else "".join("%%%02X" % b for b in c.encode())
                   for c in text)


def presigned(method, key):
    """A URL that allows the method for an hour, with the body unsigned."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = "%s/%s/s3/aws4_request" % (stamp[:8], environment("AWS_REGION"))
    host = environment("S3_ENDPOINT").split("//")[1]
    path = "/%s/%s" % (environment("S3_BUCKET"), key)
    query = "&".join("%s=%s" % (name, quoted(value)) for name, value in sorted({
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": environment("AWS_ACCESS_KEY_ID") + "/" + scope,
        "X-Amz-Date": stamp,
        "X-Amz-Expires": "3600",
        "X-Amz-SignedHeaders": "host",
    }.items()))
    request = "\n".join((method, quoted(path, "-._~/"), query, "host:" + host, "", "host", "UNSIGNED-PAYLOAD"))
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.new(signature_key(stamp[:8]), text.encode(), hashlib.sha256).hexdigest()
    return "http://%s%s?%s&X-Amz-Signature=%s" % (host, path, query, signature)


class Sample:
    def __init__(self, wall, cpu, peak):
        self.wall, self.cpu, self.peak = wall, cpu, peak


def run(commands, log, allowed=(0,), variables=None):
    """Runs the commands as one pipe and measures them; any other status ends the benchmark."""
    variables = dict({k: v for k, v in os.environ.items() if not k.startswith("WALS_")}, **(variables or {}))
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    source = os.open("/dev/null", os.O_RDONLY)
    began = time.perf_counter()
    pids = {}
    for index, command in enumerate(commands):
        last = index == len(commands) - 1
        following, output = (None, sink) if last else os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, sink, 2)]
        pids[os.posix_spawnp(command[0], command, variables, file_actions=actions)] = command
        os.close(source)
        if not last:
            os.close(output)
        source = following
    cpu = peak = 0.0
    while pids:
        pid, status, usage = os.wait4(-1, 0)
        command = pids.pop(pid, None)
        if command is None:
            continue
        cpu += usage.ru_utime + usage.ru_stime
        peak += usage.ru_maxrss / 1024
        if os.waitstatus_to_exitcode(status) not in allowed:
            sys.stderr.write(open(log).read()[-4000:])
            sys.exit("error: %s ended with %d" % (command[0], os.waitstatus_to_exitcode(status)))
    wall = time.perf_counter() - began
    os.close(sink)
    return Sample(wall, cpu, peak)


def curl(log, *arguments):
    run([["curl", "-sS", "--fail", "--noproxy", "*", *arguments]], log)


def length(commands, log):
    """How many bytes the pipe will write: S3 takes no body whose length is not known."""
    count = log + ".count"
    run(commands + [["wc", "-c"]], count, allowed=(0, 1))
    with open(count) as file:
        size = file.read().split()[-1]
    os.unlink(count)
    return size


def upload(key, size):
    return ["curl", "-sS", "--fail", "--noproxy", "*", "-H", "Expect:", "-H", "Transfer-Encoding:",
            "-H", "Content-Length: " + size, "-o", "/dev/null", "-T", "-", presigned("PUT", key)]


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def compare(rounds, contestants):
    """Runs the contestants in turn, one unmeasured round first, and prints medians and ratios."""
    samples = {name: [] for name, _ in contestants}
    for number in range(rounds + 1):
        # Each goes first every other time.
        for name, action in contestants if number % 2 else list(reversed(contestants)):
            sample = action(number)
            if number:
                samples[name].append(sample)
    rows = []
    for name, _ in contestants:
        taken = samples[name]
        rows.append((name, median([s.wall for s in taken]), median([s.cpu for s in taken]),
                     max(s.peak for s in taken)))
    print("%-28s %12s %12s %12s" % ("n = %d, interleaved" % rounds, "wall", "cpu", "peak RSS"))
    for name, wall, cpu, peak in rows:
        print("%-28s %9.1f ms %9.1f ms %8.1f MiB" % (name, wall * 1000, cpu * 1000, peak))
    (_, wall, cpu, peak), (_, other_wall, other_cpu, other_peak) = rows
    print("%-28s %12.2f %12.2f %12.2f" % ("ratio", wall / other_wall, cpu / other_cpu, peak / other_peak))
    return rows


def settings(work, prefix, endpoint=None):
    return {
        "WALG_S3_PREFIX": "s3://%s/%s" % (environment("S3_BUCKET"), prefix),
        "AWS_ENDPOINT": endpoint or environment("S3_ENDPOINT"),
        "AWS_S3_FORCE_PATH_STYLE": "true",
        "WALS_STATE_DIR": os.path.join(work, "state"),
    }


def judged(what, value, limit, unit):
    reached = value <= limit
    print("%s: %.4g, wanted at most %g%s: %s" % (what, value, limit, unit, "reached" if reached else "MISSED"))
    return reached


class Proxy:
    """Hands everything on to the server, and notes connections and request lines."""

    def __init__(self):
        host, port = environment("S3_ENDPOINT").split("//")[1].split(":")
        self.server = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.requests, self.connections = [], 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.create_connection(self.server)
        threading.Thread(target=self.answer, args=(server, client), daemon=True).start()
        head, body = b"", 0
        while data := client.recv(1 << 16):
            server.sendall(data)
            while data:
                skipped = min(body, len(data))
                body, data = body - skipped, data[skipped:]
                head += data
                end = head.find(b"\r\n\r\n")
                if end < 0:
                    break
                lines = head[:end].decode("latin-1").split("\r\n")
                self.requests.append(lines[0].rsplit(" ", 1)[0])
                lengths = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
                body, data, head = (lengths or [0])[0], head[end + 4:], b""
        server.shutdown(socket.SHUT_WR)

    @staticmethod
    def answer(server, client):
        while data := server.recv(1 << 16):
            client.sendall(data)
        client.close()


def wal_push(rounds, binary, work, previous, segment):
    log = os.path.join(work, "measure.log")
    name = os.path.basename(segment)

    def push(path, endpoint=None):
        return run([[binary, "wal-push", path]], log, variables=settings(work, "bench", endpoint))

    def ours(number):
        curl(log, "-o", "/dev/null", "-X", "DELETE", presigned("DELETE", "bench/wal_005/%s.lz4" % name))
        return push(segment)

    packing = [["lz4", "-1", "-q", "-c", segment]]
    size = length(packing, log)

    def pipe(number):
        return run(packing + [upload("bench/pipe/%s.lz4" % name, size)], log)

    # The segment before it claims the prefix: what follows is the everyday push.
    push(previous)
    push(segment)
    (_, _, _, peak), _ = compare(rounds, [("wal-s wal-push", ours), ("lz4 -1 | curl -T -", pipe)])
    stored = os.path.join(work, "stored.lz4")
    curl(log, "-o", stored, presigned("GET", "bench/wal_005/%s.lz4" % name))
    print("a segment of %.1f MiB, stored as %.1f MiB" % (os.stat(segment).st_size / MIB, os.stat(stored).st_size / MIB))

    # What is remembered of an archive belongs to its endpoint too: the first push through the proxy asks for the claim.
    proxy = Proxy()
    push(previous, proxy.endpoint)
    curl(log, "-o", "/dev/null", "-X", "DELETE", presigned("DELETE", "bench/wal_005/%s.lz4" % name))
    proxy.requests, proxy.connections = [], 0
    push(segment, proxy.endpoint)
    print("requests: " + ", ".join(proxy.requests))
    return all([
        judged("requests", len(proxy.requests), 1, ""), judged("connections", proxy.connections, 1, ""),
        judged("peak memory", peak, 30, " MiB"),
    ])


def backup_push(rounds, binary, work, data):
    log = os.path.join(work, "measure.log")
    # What wal-s leaves out, tar leaves out too.
    left_out = ["--exclude=./%s" % name for name in (
        "pg_wal/*", "pg_stat_tmp/*", "pg_replslot/*", "pg_dynshmem/*", "pg_notify/*", "pg_serial/*", "pg_snapshots/*",
        "pg_subtrans/*", "postmaster.pid", "postmaster.opts")]

    def ours(number):
        return run([[binary, "--progress=none", "backup-push", data]], log, variables=settings(work, "bench-%d" % number))

    packing = [["tar", "c", "-C", data, *left_out, "."], ["lz4", "-1", "-q", "-c"]]

    def pipe(number):
        # Asked each time: a backup changes pg_control. tar ends with 1 when a file changed while it read.
        size = length(packing, log)
        return run(packing + [upload("bench-pipe/%d.tar.lz4" % number, size)], log, allowed=(0, 1))

    (_, wall, _, peak), (_, other, _, _) = compare(
        rounds, [("wal-s backup-push", ours), ("tar c | lz4 -1 | curl -T -", pipe)])
    return all([
        judged("wall time", wall / other, 0.7, " of the pipe's"), judged("peak memory", peak, 256, " MiB"),
    ])


if __name__ == "__main__":
    verb, count, *rest = sys.argv[1:]
    sys.exit(0 if {"wal-push": wal_push, "backup-push": backup_push}[verb](int(count), *rest) else 3)
