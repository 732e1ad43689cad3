#!/usr/bin/env python3
"""Whole-process figures of kubectl canary-traefik beside kubectl, on a real API server, in one run.

    benches/bench.py commands    --help, show NAME, sticky get NAME, sticky set
    benches/bench.py lists       show -A over 10,000 Canaries and 10,000 TraefikServices
    benches/bench.py guard       latency of Flagger's write with and without the guard

Needs the test bed (tests/bed/build) and the release build (cargo build --release). Each command runs in turn
with the one it is compared to, A B A B …; peak memory is GNU time's. Figures are medians; compare ratios,
machines differ.
"""

import http.client
import json
import os
import pathlib
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
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
    command = list(command)
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"bench: {' '.join(command)} ended with {done.returncode}: {done.stderr.decode()}")
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
        raw = ["sh", "-c", f"'{KUBECTL}' get --raw /apis/flagger.app/v1beta1/canaries >/dev/null & "
               f"'{KUBECTL}' get --raw /apis/traefik.io/v1alpha1/traefikservices >/dev/null & wait"]
        print(f"whole processes, medians of {runs} runs, {number} Canaries and {number} TraefikServices\n\n{HEAD}")
        compare("`show -A` / `get canaries -A`", [OURS, "show", "-A"], [KUBECTL, "get", "canaries", "-A"], environment, runs, "≤ 0.5, ≤ 64 MiB")
        compare("`show -A` / the two raw lists side by side", [OURS, "show", "-A"], raw, environment, runs, "≤ 1.25")


def guard(runs):
    with Server() as server:
        environment = server.environment()

        def latency(namespace):
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
                times.append(time.perf_counter() - began)
                if status != 200:
                    sys.exit(f"bench: Flagger's write was answered {status}: {answer}")
            return statistics.median(times[5:]) * 1000

        numbers = [1, 10, 100, 1000]
        before = {}
        for number in numbers:
            namespace = f"n{number}"
            server.namespace(namespace)
            for index in range(number):
                stored = server.create(canary(namespace, f"app-{index}"))[1]
                if index == 0:
                    server.create(service(namespace, "app-0", stored["metadata"]["uid"]))
            before[number] = latency(namespace)
        subprocess.run([OURS, "guard", "install", "--yes"], check=True, env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        path = "/apis/traefik.io/v1alpha1/namespaces/n1/traefikservices/app-0"
        drop = {"spec": {"weighted": {"sticky": None}}}
        until("the guard", lambda: "sticky" in server.ask(
            "PATCH", f"{path}?dryRun=All", drop, "application/merge-patch+json")[1]["spec"]["weighted"])
        print(f"Flagger's write, medians of {runs}\n")
        print("| Canaries selected in the namespace | without guard | with guard | more |\n|---|---|---|---|")
        for number in numbers:
            after = latency(f"n{number}")
            print(f"| {number} | {before[number]:.1f} ms | {after:.1f} ms | {after - before[number]:.1f} ms |", flush=True)


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "commands"
    known = {"commands": lambda: commands(40), "lists": lambda: lists(7), "guard": lambda: guard(60)}
    if what not in known:
        sys.exit(__doc__)
    for needed in [OURS, KUBECTL]:
        if not os.access(needed, os.X_OK):
            sys.exit(f"bench: {needed} is missing: run tests/bed/build and cargo build --release")
    if not os.access(TIME, os.X_OK):
        sys.exit(f"bench: {TIME} is missing: apt-get install time")
    known[what]()
