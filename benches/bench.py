#!/usr/bin/env python3
"""Whole-process figures of kubectl canary-traefik beside kubectl, on a real API server, in one run.

    benches/bench.py commands    --help, show NAME, sticky get NAME, sticky set
    benches/bench.py lists       show -A over 10,000 Canaries and 10,000 TraefikServices
    benches/bench.py guard       latency of Flagger's write with and without the guard's policies
    benches/bench.py webhook     the same for guard run, and what that process takes with 10,000 Canaries and
                                 10,000 TraefikServices that have all lost their cookie (some minutes)
    benches/bench.py watch [S]   show -A --watch over 10,000 Canaries and 10,000 TraefikServices while 100 of them change
                                 each second: on a terminal and in a pipe, S seconds each (120)

Needs the test bed (tests/bed/build) and the release build (cargo build --release). Each command runs in turn
with the one it is compared to, A B A B …; peak memory is GNU time's. Figures are medians; compare ratios,
machines differ.
"""

import copy
import fcntl
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BED = pathlib.Path(os.environ.get("CANARY_TRAEFIK_BED", ROOT / "target/bed"))
OURS = str(ROOT / "target/release/kubectl-canary_traefik")
KUBECTL = str(BED / "bin/kubectl")
TIME = "/usr/bin/time"
TOKEN = "bench"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """etcd and kube-apiserver on free ports, gone when the `with` ends."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bench-")
        folder = pathlib.Path(self.folder.name)
        self.port, client, peer = free_port(), free_port(), free_port()
        (folder / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
        etcd = f"http://127.0.0.1:{client}"
        peers = f"http://127.0.0.1:{peer}"
        log = open(folder / "log", "w")
        self.processes = [
            subprocess.Popen(
                [BED / "bin/etcd", "--data-dir", folder / "etcd", "--unsafe-no-fsync", "--log-level", "error",
                 "--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", peers,
                 "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}"],
                stdout=log, stderr=log)
        ]
        certs = folder / "certs"
        arguments = [BED / "bin/kube-apiserver", "--etcd-servers", etcd, "--cert-dir", certs, "--secure-port", str(self.port),
                     "--bind-address", "127.0.0.1", "--token-auth-file", folder / "tokens.csv",
                     "--authorization-mode", "RBAC", "--disable-admission-plugins", "ServiceAccount",
                     "--service-account-issuer", "https://bench", "--service-cluster-ip-range", "10.0.0.0/24",
                     "--service-account-key-file", certs / "apiserver.key",
                     "--service-account-signing-key-file", certs / "apiserver.key"]
        # The serving key signs service-account tokens too; a first start makes it.
        certs.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bench",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certs / "apiserver.key",
                        "-out", certs / "apiserver.crt"], check=True, stdout=log, stderr=log)
        arguments += ["--tls-cert-file", certs / "apiserver.crt", "--tls-private-key-file", certs / "apiserver.key"]
        self.processes.append(subprocess.Popen(arguments, stdout=log, stderr=log))
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "clusters": [{"name": "bench", "cluster": {"server": f"https://127.0.0.1:{self.port}", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "bench", "user": {"token": TOKEN}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench", "namespace": "shop"}}]}))
        self.connection = None
        until("the API server", lambda: self.ask("GET", "/readyz")[0] == 200)
        for name in ["flagger", "traefik"]:
            self.kubectl("apply", "--server-side", "-f", str(BED / f"crds/{name}.yaml"))
        until("the definitions", lambda: self.ask("GET", "/apis/traefik.io/v1alpha1/traefikservices")[0] == 200
              and self.ask("GET", "/apis/flagger.app/v1beta1/canaries")[0] == 200)
        self.namespace("shop")
        # Custom resources can be created only some seconds after their definition.
        until("the first Canary", lambda: self.create(canary("shop", "warm-up"))[0] == 201)
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        self.folder.cleanup()

    def ask(self, method, path, body=None, kind="application/json"):
        for attempt in range(2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPSConnection(
                        "127.0.0.1", self.port, context=ssl._create_unverified_context(), timeout=60)
                headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind, "User-Agent": "flagger/bench"}
                self.connection.request(method, path, None if body is None else json.dumps(body), headers)
                answer = self.connection.getresponse()
                text = answer.read()
                return answer.status, json.loads(text) if text[:1] == b"{" else text
            except OSError:
                self.connection = None
                if attempt:
                    return 0, None

    def create(self, obj):
        group, kind = obj["apiVersion"], obj["kind"]
        plural = {"Canary": "canaries", "TraefikService": "traefikservices"}[kind]
        return self.ask("POST", f"/apis/{group}/namespaces/{obj['metadata']['namespace']}/{plural}", obj)

    def namespace(self, name):
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def kubectl(self, *arguments):
        subprocess.run([KUBECTL, *arguments], check=True, env=self.environment(), stdout=subprocess.DEVNULL)

    def environment(self):
        return {"KUBECONFIG": str(self.kubeconfig), "HOME": self.folder.name, "PATH": os.environ["PATH"]}


def until(what, test, limit=60):
    began = time.monotonic()
    while not test():
        if time.monotonic() - began > limit:
            sys.exit(f"bench: {what} did not come within {limit} s")
        time.sleep(0.05)


def canary(namespace, name, declared=True):
    note = {"kubectl-canary-traefik/sticky-cookie": "login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax"}
    return {"apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": {"name": name, "namespace": namespace, "annotations": note if declared else {}},
            "spec": {"provider": "traefik", "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                     "service": {"port": 80},
                     "analysis": {"interval": "1m", "threshold": 5, "maxWeight": 50, "stepWeight": 10, "metrics": [
                         {"name": "request-success-rate", "interval": "1m", "thresholdRange": {"min": 99}},
                         {"name": "request-duration", "interval": "1m", "thresholdRange": {"max": 500}}]}}}


def service(namespace, name, owner=None):
    metadata = {"name": name, "namespace": namespace, "annotations": {
        "kustomize.toolkit.fluxcd.io/reconcile": "disabled", "helm.toolkit.fluxcd.io/driftDetection": "disabled"}}
    if owner:
        metadata["ownerReferences"] = [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": name,
                                        "uid": owner, "controller": True, "blockOwnerDeletion": True}]
    child = lambda track, weight: {"name": f"{name}-{track}", "namespace": namespace, "port": 80, "weight": weight}
    return {"apiVersion": "traefik.io/v1alpha1", "kind": "TraefikService", "metadata": metadata,
            "spec": {"weighted": {"services": [child("primary", 90), child("canary", 10)]}}}


def run(command, environment):
    """Wall seconds of one run."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile() as said:
        onto = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, said.fileno(), 2)]
        # What `subprocess` does around it takes as long as the fastest of the commands.
        began = time.perf_counter()
        _, status = os.waitpid(os.posix_spawn(command[0], command, environment, file_actions=onto), 0)
        wall = time.perf_counter() - began
        if status:
            said.seek(0)
            sys.exit(f"bench: {' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}: {said.read().decode()}")
    return wall


def peak(command, environment):
    """Peak MiB of one run. A small program has to start it: what Python starts inherits Python's own peak."""
    with tempfile.NamedTemporaryFile("r") as figures:
        run([TIME, "-f", "%M", "-o", figures.name, *command], environment)
        return int(figures.read().split()[-1]) / 1024


def compare(title, ours, theirs, environment, runs, budgets=""):
    walls, peaks = ([], []), ([], [])
    for index in range(runs + 1):
        for which, command in enumerate([ours, theirs]):
            figure = run(command, environment)
            if index:
                walls[which].append(figure)
    for _ in range(5):
        for which, command in enumerate([ours, theirs]):
            peaks[which].append(peak(command, environment))
    wall = [statistics.median(side) * 1000 for side in walls]
    memory = [statistics.median(side) for side in peaks]
    print(f"| {title} | {wall[0]:.1f} ms | {wall[1]:.1f} ms | {wall[0] / wall[1]:.2f} | {memory[0]:.1f} MiB | {memory[1]:.1f} MiB "
          f"| {memory[0] / memory[1]:.2f} | {budgets} |", flush=True)


HEAD = "| command | ours | kubectl | wall ratio | ours | kubectl | RSS ratio | budget |\n|---|---|---|---|---|---|---|---|"


def commands(runs):
    with Server() as server:
        _, stored = server.create(canary("shop", "podinfo"))
        server.create(service("shop", "podinfo", stored["metadata"]["uid"]))
        environment = server.environment()
        get = [KUBECTL, "get", "canary", "podinfo", "-o", "json"]
        print(f"whole processes, medians of {runs} runs\n\n{HEAD}")
        compare("`--help` / `version --client`", [OURS, "--help"], [KUBECTL, "version", "--client"], environment, runs, "≤ 2 ms, ≤ 6 MiB")
        compare("`show podinfo` / `get canary podinfo -o json`", [OURS, "show", "podinfo"], get, environment, runs, "≤ 0.4, ≤ 0.3")
        compare("`sticky get podinfo` / `get canary podinfo -o json`", [OURS, "sticky", "get", "podinfo"], get, environment, runs, "≤ 0.4, ≤ 0.3")
        ages = iter(range(1, 10**6))

        class Set(list):
            def __iter__(self):
                return iter([OURS, "sticky", "set", "podinfo", "--yes", "--max-age", str(next(ages))])

        compare("`sticky set podinfo --yes` / `annotate canary podinfo`", Set(),
                [KUBECTL, "annotate", "canary", "podinfo", "--overwrite", "a=b"], environment, runs)


def lists(runs, number=10_000):
    with Server() as server:
        print(f"bench: creating {number} Canaries and {number} TraefikServices …", file=sys.stderr)
        for namespace in range(20):
            server.namespace(f"team-{namespace}")
        for index in range(number):
            namespace = f"team-{index % 20}"
            server.create(canary(namespace, f"app-{index}", index % 3 == 0))
            server.create(service(namespace, f"app-{index}"))
        environment = server.environment()
        raw = ["/bin/sh", "-c", f"'{KUBECTL}' get --raw /apis/flagger.app/v1beta1/canaries >/dev/null & "
               f"'{KUBECTL}' get --raw /apis/traefik.io/v1alpha1/traefikservices >/dev/null & wait"]
        print(f"whole processes, medians of {runs} runs, {number} Canaries and {number} TraefikServices\n\n{HEAD}")
        compare("`show -A` / `get canaries -A`", [OURS, "show", "-A"], [KUBECTL, "get", "canaries", "-A"], environment, runs, "≤ 0.5, ≤ 64 MiB")
        compare("`show -A` / the two raw lists side by side", [OURS, "show", "-A"], raw, environment, runs, "≤ 1.25")


def latencies(server, namespace, runs):
    """Milliseconds of Flagger's writes of one TraefikService, each whole and without its cookie."""
    path = f"/apis/traefik.io/v1alpha1/namespaces/{namespace}/traefikservices/app-0"
    times = []
    for index in range(runs + 5):
        obj = server.ask("GET", path)[1]
        weight = index % 99 + 1
        services = [dict((key, child[key]) for key in ["name", "namespace", "port"]) for child in obj["spec"]["weighted"]["services"]]
        services[0]["weight"], services[1]["weight"] = 100 - weight, weight
        obj["spec"] = {"weighted": {"services": services}}
        began = time.perf_counter()
        status, answer = server.ask("PUT", path, obj)
        times.append((time.perf_counter() - began) * 1000)
        if status != 200:
            sys.exit(f"bench: Flagger's write was answered {status}: {answer}")
    return times[5:]


def selected(server, numbers):
    """A namespace for each number, with so many Canaries and the TraefikService of the first."""
    for number in numbers:
        namespace = f"n{number}"
        server.namespace(namespace)
        for index in range(number):
            stored = server.create(canary(namespace, f"app-{index}"))[1]
            if index == 0:
                server.create(service(namespace, "app-0", stored["metadata"]["uid"]))


def acts(server, namespace):
    """Whether a dry-run write that removes the cookie gets it back."""
    path = f"/apis/traefik.io/v1alpha1/namespaces/{namespace}/traefikservices/app-0?dryRun=All"
    drop = {"spec": {"weighted": {"sticky": None}}}
    return "sticky" in server.ask("PATCH", path, drop, "application/merge-patch+json")[1]["spec"]["weighted"]


NUMBERS = [1, 10, 100, 1000]
CROWD = 2000
WRITERS = 16
WRITES = "| Canaries selected in the namespace | without guard | with guard | more |\n|---|---|---|---|"


def beside(server, namespace, runs):
    """Milliseconds of writes in the smallest namespace while so many writers write in this one."""
    over, others = threading.Event(), []

    def write():
        # A connection of its own.
        own = copy.copy(server)
        own.connection = None
        path = f"/apis/traefik.io/v1alpha1/namespaces/{namespace}/traefikservices/app-0?dryRun=All"
        while not over.is_set():
            own.ask("PATCH", path, {"spec": {"weighted": {"sticky": None}}}, "application/merge-patch+json")

    for _ in range(WRITERS):
        others.append(threading.Thread(target=write))
        others[-1].start()
    time.sleep(3)
    try:
        return latencies(server, "n1", runs)
    finally:
        over.set()
        for other in others:
            other.join()


def guard(runs):
    with Server() as server:
        environment = server.environment()
        numbers = NUMBERS + [CROWD]
        selected(server, numbers)
        before = {number: statistics.median(latencies(server, f"n{number}", runs)) for number in numbers}
        without = statistics.median(beside(server, f"n{CROWD}", runs))
        subprocess.run([OURS, "guard", "install", "--yes"], check=True, env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("the guard", lambda: acts(server, "n1"))
        print(f"Flagger's write, medians of {runs}\n\n{WRITES}")
        for number in numbers:
            after = statistics.median(latencies(server, f"n{number}", runs))
            print(f"| {number} | {before[number]:.1f} ms | {after:.1f} ms | {after - before[number]:.1f} ms |", flush=True)
        print(f"\nFlagger's write in the namespace with 1 Canary, while {WRITERS} writers write in another, medians of {runs}\n\n{WRITES}")
        for number in [100, CROWD]:
            after = statistics.median(beside(server, f"n{number}", runs))
            print(f"| {number} there | {without:.1f} ms | {after:.1f} ms | {after - without:.1f} ms |", flush=True)


class Webhook:
    """`guard run`, registered by its address until the `with` ends."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.port = free_port()
        self.log = pathlib.Path(self.server.folder.name) / "guard.log"
        address = ["--listen", f"127.0.0.1:{self.port}", "--webhook-url", f"https://127.0.0.1:{self.port}"]
        # A small program starts it: what Python starts inherits Python's own peak.
        self.process = subprocess.Popen(["sh", "-c", '"$@" & echo $!; wait', "sh", OURS, "guard", "run", *address],
                                        env=self.server.environment(), stdout=subprocess.PIPE, stderr=open(self.log, "w"))
        self.pid = int(self.process.stdout.readline())
        until("the registration", lambda: self.lines(" registered"))
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGTERM)
        self.process.wait()

    def lines(self, text):
        return sum(text in line for line in open(self.log))

    def memory(self):
        """Peak and present MiB."""
        status = dict(line.split(":", 1) for line in open(f"/proc/{self.pid}/status"))
        return [int(status[key].split()[0]) / 1024 for key in ["VmHWM", "VmRSS"]]

    def ticks(self):
        """Seconds of processor time so far."""
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def reviews(self, number, before, between=lambda done: None):
        """Milliseconds of so many answers to a review of Flagger's write, by one kept connection."""
        after = json.loads(json.dumps(before))
        del after["spec"]["weighted"]["sticky"]
        review = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u", "namespace": before["metadata"]["namespace"], "operation": "UPDATE", "options": {},
            "resource": {"group": "traefik.io", "version": "v1alpha1", "resource": "traefikservices"},
            "oldObject": before, "object": after}})
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl._create_unverified_context())
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        times = []
        for done in range(number):
            began = time.perf_counter()
            connection.request("POST", "/mutate", review, {"Content-Type": "application/json"})
            answer = connection.getresponse().read()
            times.append((time.perf_counter() - began) * 1000)
            if b'"patch"' not in answer:
                sys.exit(f"bench: the guard answered {answer}")
            between(done + 1)
        return times


def admission(server):
    """What the API server counts of the mutating webhook: calls, seconds, and calls of at most 5 ms, its shortest bucket."""
    name = "apiserver_admission_webhook_admission_duration_seconds"
    text = server.ask("GET", "/metrics")[1].decode()
    lines = [line for line in text.splitlines() if "canary-traefik" in line and 'type="admit"' in line]
    of = lambda begin, more="": sum(float(line.split()[-1]) for line in lines if line.startswith(name + begin) and more in line)
    return [of("_count"), of("_sum"), of("_bucket", 'le="0.005"')]


def webhook(runs, number=10_000):
    with Server() as server:
        print(f"bench: creating {number} Canaries and {number} TraefikServices …", file=sys.stderr)
        selected(server, NUMBERS)
        for namespace in range(20):
            server.namespace(f"team-{namespace}")
        rest = number - sum(NUMBERS)
        for index in range(number - len(NUMBERS)):
            namespace = f"team-{index % 20}"
            if index < rest:
                server.create(canary(namespace, f"app-{index}"))
            server.create(service(namespace, f"app-{index}"))
        print(f"`guard run` with {number} Canaries and {number} TraefikServices\n")
        with Webhook(server) as process:
            until("all repairs", lambda: process.lines(" repaired") >= rest + len(NUMBERS), 1800)
            print(f"- memory after {rest + len(NUMBERS)} repairs at the start: {process.memory()[0]:.1f} MiB at most", flush=True)
        before, after, calls = {n: [] for n in NUMBERS}, {n: [] for n in NUMBERS}, [0.0] * 3
        for _ in range(3):
            for n in NUMBERS:
                before[n] += latencies(server, f"n{n}", runs // 3)
            with Webhook(server) as process:
                until("the guard", lambda: acts(server, "n1"))
                latencies(server, "n1", 20)
                for n in NUMBERS:
                    began = admission(server)
                    after[n] += latencies(server, f"n{n}", runs // 3)
                    calls = [sum + now - then for sum, now, then in zip(calls, admission(server), began)]
        with Webhook(server) as process:
            until("the guard", lambda: acts(server, "n1"))
            print("- memory after a start with nothing to repair: {:.1f} MiB at most, {:.1f} MiB then".format(*process.memory()))
            time.sleep(10)
            began = process.ticks()
            time.sleep(60)
            print(f"- processor time in 60 s without a write: {process.ticks() - began:.2f} s", flush=True)
            stored = server.ask("GET", "/apis/traefik.io/v1alpha1/namespaces/n1/traefikservices/app-0")[1]
            memory = []
            times = process.reviews(100_000, stored, lambda done: done % 20_000 or memory.append(process.memory()[1]))
            print(f"- an answer, as its client sees it: {statistics.median(times):.2f} ms median, "
                  f"{statistics.quantiles(times, n=100)[98]:.2f} ms at the 99th percentile")
            print("- memory after each 20,000 of 100,000 answers: " + ", ".join(f"{m:.1f}" for m in memory) + " MiB")
        print(f"- the API server's own count: {calls[0]:.0f} calls, {calls[1] / calls[0] * 1000:.2f} ms on average, "
              f"{calls[2]:.0f} within 5 ms, its shortest bucket")
        print(f"\nFlagger's write, medians of {runs}, without and with in turn\n\n{WRITES}")
        for n in NUMBERS:
            without, with_guard = statistics.median(before[n]), statistics.median(after[n])
            print(f"| {n} | {without:.1f} ms | {with_guard:.1f} ms | {with_guard - without:.1f} ms |", flush=True)


def figures(pid):
    """Seconds of processor time so far, and present MiB."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    memory = next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(memory.split()[1]) / 1024


def drain(descriptor, seen):
    """Reads what a process prints, and counts its bytes."""
    while True:
        try:
            data = os.read(descriptor, 1 << 16)
        except OSError:
            return
        if not data:
            return
        seen[0] += len(data)


def change(server, number, rate, seconds):
    """Changes so many TraefikServices a second, by a few connections; returns how many were changed."""
    done, began, clients = [0], time.monotonic(), 4

    def write(first):
        own = copy.copy(server)
        own.connection = None
        for turn in range(first, rate * seconds, clients):
            time.sleep(max(0, began + turn / rate - time.monotonic()))
            if time.monotonic() - began > seconds:
                return
            index, weight = turn * 7 % number, turn % 90 + 1
            path = f"/apis/traefik.io/v1alpha1/namespaces/team-{index % 20}/traefikservices/app-{index}"
            child = lambda track, weight: {"name": f"app-{index}-{track}", "port": 80, "weight": weight}
            patch = {"spec": {"weighted": {"services": [child("primary", 100 - weight), child("canary", weight)]}}}
            done[0] += own.ask("PATCH", path, patch, "application/merge-patch+json")[0] == 200

    writers = [threading.Thread(target=write, args=[first]) for first in range(clients)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return done[0] / (time.monotonic() - began)


def watch(seconds, number=10_000, rate=100):
    with Server() as server:
        print(f"bench: creating {number} Canaries and {number} TraefikServices …", file=sys.stderr)
        for namespace in range(20):
            server.namespace(f"team-{namespace}")
        for index in range(number):
            namespace = f"team-{index % 20}"
            server.create(canary(namespace, f"app-{index}", index % 3 == 0))
            server.create(service(namespace, f"app-{index}"))
        print(f"`show -A --watch`, {number} Canaries and {number} TraefikServices, {seconds} s each\n")
        print("| onto | changes a second | processor | MiB, each tenth of the time | printed a second |\n|---|---|---|---|---|")
        for onto in ["a terminal of 50 rows", "a pipe"]:
            if onto == "a pipe":
                ours, theirs = os.pipe()
            else:
                ours, theirs = os.openpty()
                fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
            process = subprocess.Popen([OURS, "show", "-A", "--watch"], env=server.environment(), stdin=subprocess.DEVNULL,
                                       stdout=theirs, stderr=subprocess.DEVNULL)
            os.close(theirs)
            seen, memory = [0], []
            threading.Thread(target=drain, args=[ours, seen], daemon=True).start()
            until("the first rows", lambda: seen[0] > 1000)
            time.sleep(5)
            before, printed = figures(process.pid)[0], seen[0]
            over = threading.Event()

            def sample():
                while not over.wait(seconds / 10):
                    memory.append(figures(process.pid)[1])

            sampler = threading.Thread(target=sample)
            sampler.start()
            changes = change(server, number, rate, seconds)
            over.set()
            sampler.join()
            share = (figures(process.pid)[0] - before) / seconds * 100
            process.terminate()
            process.wait()
            shown = ", ".join(f"{m:.1f}" for m in memory)
            print(f"| {onto} | {changes:.0f} | {share:.1f} % of a core | {shown} | {(seen[0] - printed) / seconds / 1024:.1f} KiB |", flush=True)


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "commands"
    known = {"commands": lambda: commands(40), "lists": lambda: lists(7), "guard": lambda: guard(60), "webhook": lambda: webhook(60),
             "watch": lambda: watch(int(sys.argv[2]) if len(sys.argv) > 2 else 120)}
    if what not in known:
        sys.exit(__doc__)
    for needed in [OURS, KUBECTL]:
        if not os.access(needed, os.X_OK):
            sys.exit(f"bench: {needed} is missing: run tests/bed/build and cargo build --release")
    if not os.access(TIME, os.X_OK):
        sys.exit(f"bench: {TIME} is missing: apt-get install time")
    known[what]()
