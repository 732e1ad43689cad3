#!/usr/bin/env python3
"""One tenant floods, another waits: what the guard's process makes of it, at the limit of the shipped Deployment.

    benches/tenants.py [SECONDS]     600 by default

`guard run` (release build, nobody reads its log) in a memory cgroup of 128 MiB beside a real API server. Meanwhile, each in
a namespace of its own: up to 200 changes of a declaration a second; a policy that answers 403 to each repair; a webhook that fails
after 3 s; objects of random kinds as large as the server takes them; and from the network connections that stay
silent, floods of /healthz, questions to the gate, reviews of objects that nobody knows. In a quiet namespace a declaration
changes twice a second: how long until it is live. Prints the process' memory, that time's median, 99th percentile and
maximum, and how long the API server took for that tenant's own writes; exit status 1 when the process ended, was killed for
its memory, or the 99th percentile is above one second.
"""

import http.client
import http.server
import json
import os
import pathlib
import random
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time

from bench import OURS, Server, TOKEN, canary, free_port, service, until

LIMIT = 128 << 20
NOTE = "kubectl-canary-traefik/sticky-cookie"
CANARIES = "/apis/flagger.app/v1beta1/namespaces/{}/canaries"
SERVICES = "/apis/traefik.io/v1alpha1/namespaces/{}/traefikservices"
POLICIES = "/apis/admissionregistration.k8s.io/v1"
MERGE = "application/merge-patch+json"


class Cgroup:
    """A memory limit for what is started in it, by whichever version of cgroups there is."""

    def __init__(self, limit):
        v1 = pathlib.Path("/sys/fs/cgroup/memory")
        self.is_v1 = v1.exists()
        self.path = (v1 if self.is_v1 else pathlib.Path("/sys/fs/cgroup")) / f"canary-traefik-{os.getpid()}"
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if self.is_v1 else "memory.max")).write_text(str(limit))

    def started(self, *command, **more):
        enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
        return subprocess.Popen(["sh", "-c", enter, self.path, *command], **more)

    def peak(self):
        return int((self.path / ("memory.max_usage_in_bytes" if self.is_v1 else "memory.peak")).read_text())

    def remove(self):
        until("the cgroup to be empty", lambda: not (self.path / "cgroup.procs").read_text())
        self.path.rmdir()


class Client:
    """One connection to the API server; each thread has its own."""

    def __init__(self, server):
        self.server, self.connection = server, None

    def ask(self, method, path, body=None, kind="application/json"):
        try:
            if self.connection is None:
                context = ssl._create_unverified_context()
                self.connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=context, timeout=60)
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind, "User-Agent": "tenant/bench"}
            self.connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self.connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] == b"{" else text
        except (OSError, http.client.HTTPException):
            self.connection = None
            return 0, None

    def declare(self, namespace, name, text):
        patch = {"metadata": {"annotations": {NOTE: text}}}
        return self.ask("PATCH", CANARIES.format(namespace) + f"/{name}", patch, MERGE)[0]

    def rollout(self, namespace, name):
        _, stored = self.ask("POST", CANARIES.format(namespace), canary(namespace, name))
        self.ask("POST", SERVICES.format(namespace), service(namespace, name, stored["metadata"]["uid"]))


def only(namespace):
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


RULE = {"apiGroups": ["traefik.io"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["traefikservices"]}


def flaps(client, number, guard):
    client.declare("flaps", "app", f"login; Max-Age={number % 7 + 1}")
    time.sleep(0.004)


def refused(client, number, guard):
    client.declare("refused", f"app-{number % 20}", f"login; Max-Age={number % 7 + 1}")
    time.sleep(0.01)


def slow(client, number, guard):
    client.declare("slow", f"app-{number % 20}", f"login; Max-Age={number % 7 + 1}")
    time.sleep(0.01)


def giants(client, number, guard):
    """A random object up to the server's limits, and every now and then all of them go."""
    chance = random.random()
    name = f"app-{number % 60}"
    one = canary("giants", name)
    text = "x" * random.choice([1_000, 70_000, 250_000, 1_200_000])
    if chance < 0.2:
        one["spec"]["analysis"] = {"interval": "1m", "threshold": 5, "stepWeights": [1] * random.choice([10, 500_000])}
    elif chance < 0.4:
        one["metadata"]["annotations"][NOTE] = f"x;{text[:250_000]}"
    elif chance < 0.6:
        one["spec"]["service"]["name"] = text[:70_000]
    elif chance < 0.8:
        one["spec"]["analysis"]["webhooks"] = [{"name": "a", "url": f"http://{text}"}]
    status, stored = client.ask("POST", CANARIES.format("giants"), one)
    if status == 201:
        obj = service("giants", name, stored["metadata"]["uid"])
        obj["spec"]["weighted"]["services"] *= random.choice([1, 1, 6_000])
        client.ask("POST", SERVICES.format("giants"), obj)
    client.declare("giants", name, f"login; Max-Age={number % 9 + 1}")
    if number % 100 == 99:
        for path in [SERVICES, CANARIES]:
            client.ask("DELETE", path.format("giants"))


def silent(client, number, guard):
    """Connections on both ports, up to 2,000, that ask once and say nothing more."""
    for port in guard.ports:
        try:
            stream = socket.create_connection(("127.0.0.1", port), 5)
            if port == guard.ports[1]:
                stream.sendall(b"GET /healthz HTTP/1.1\r\nhost: guard\r\n\r\n")
            guard.held.append(stream)
        except OSError:
            pass
    if len(guard.held) > 2_000:
        guard.held.pop(0).close()
    time.sleep(0.02)


def asks(client, number, guard):
    """The gate about the largest Canaries, and reviews of what nobody knows."""
    try:
        gate = http.client.HTTPConnection("127.0.0.1", guard.ports[1], timeout=10)
        gate.request("POST", "/gate/drained", json.dumps({"name": f"app-{number % 60}", "namespace": "giants"}))
        gate.getresponse().read()
        gate.close()
        whole = http.client.HTTPSConnection("127.0.0.1", guard.ports[0], timeout=10, context=ssl._create_unverified_context())
        for index in range(10):
            obj = service("giants", f"unknown-{index}", "u")
            obj["metadata"]["ownerReferences"][0]["name"] = f"app-{random.randrange(60)}"
            obj["metadata"]["annotations"]["a"] = "x" * random.choice([10, 1_000_000])
            review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
                "uid": "u", "namespace": "giants", "operation": "UPDATE", "options": {}, "object": obj, "oldObject": obj,
                "resource": {"group": "traefik.io", "version": "v1alpha1", "resource": "traefikservices"}}}
            whole.request("POST", "/mutate", json.dumps(review))
            whole.getresponse().read()
        whole.close()
    except (OSError, http.client.HTTPException):
        time.sleep(0.05)


class Guard:
    def __init__(self, server, cgroup):
        self.ports, self.held = [free_port(), free_port()], []
        words = ["guard", "run", "--listen", f"127.0.0.1:{self.ports[0]}", "--webhook-url",
                 f"https://127.0.0.1:{self.ports[0]}", "--gate-listen", f"127.0.0.1:{self.ports[1]}"]
        # Nobody reads what it says.
        self.process = cgroup.started(OURS, *words, env=server.environment(), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until("the guard to be ready", lambda: self.get("/readyz")[0] == 200)

    def get(self, path):
        try:
            client = http.client.HTTPSConnection("127.0.0.1", self.ports[0], timeout=5, context=ssl._create_unverified_context())
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""


class Failing(http.server.BaseHTTPRequestHandler):
    """Refuses everything, after a while."""

    def do_POST(self):
        time.sleep(3)
        self.send_error(500)

    def log_message(self, *_):
        pass


def fails_slowly(server):
    """A webhook server with the API server's own certificate; the authority that vouches for it, and its port."""
    certs = pathlib.Path(server.folder.name) / "certs"
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "apiserver.crt", certs / "apiserver.key")
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    return (certs / "apiserver.crt").read_bytes(), listener.server_port


def main(seconds):
    import base64
    random.seed(1)
    failed = []
    with Server() as server:
        admin = Client(server)
        for namespace in ["quiet", "flaps", "refused", "slow", "giants"]:
            server.namespace(namespace)
        for namespace, number in [("refused", 20), ("slow", 20)]:
            for index in range(number):
                admin.rollout(namespace, f"app-{index}")
        for namespace in ["quiet", "flaps"]:
            admin.rollout(namespace, "app")
        cgroup = Cgroup(LIMIT)
        guard = Guard(server, cgroup)
        policy = {"metadata": {"name": "refused"}, "spec": {"failurePolicy": "Fail",
                  "matchConstraints": {**only("refused"), "resourceRules": [RULE]},
                  "validations": [{"expression": "false", "reason": "Forbidden"}]}}
        binding = {"metadata": {"name": "refused"}, "spec": {"policyName": "refused", "validationActions": ["Deny"]}}
        authority, port = fails_slowly(server)
        hook = {"metadata": {"name": "slow"}, "webhooks": [{"name": "slow.example.com", "failurePolicy": "Fail", **only("slow"),
                "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 10, "rules": [RULE],
                "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": base64.b64encode(authority).decode()}}]}
        for plural, obj in [("validatingadmissionpolicies", policy), ("validatingadmissionpolicybindings", binding),
                            ("validatingwebhookconfigurations", hook)]:
            status, answer = admin.ask("POST", f"{POLICIES}/{plural}", obj)
            assert status == 201, answer

        over, counts = threading.Event(), {}

        def flood(what):
            client, number = Client(server), 0
            while not over.is_set():
                what(client, number, guard)
                number += 1
            counts[what.__name__] = number

        floods = [threading.Thread(target=flood, args=[what]) for what in [flaps, refused, slow, giants, silent, asks]]
        for thread in floods:
            thread.start()
        times, writes, began, number = [], [], time.monotonic(), 0
        while time.monotonic() - began < seconds and guard.process.poll() is None:
            number += 1
            age = number % 7 + 1
            before = time.perf_counter()
            admin.declare("quiet", "app", f"login; Max-Age={age}")
            declared = time.perf_counter()
            writes.append(declared - before)
            while time.perf_counter() - declared < 60:
                _, obj = admin.ask("GET", SERVICES.format("quiet") + "/app")
                sticky = obj and obj["spec"]["weighted"].get("sticky")
                if sticky and sticky["cookie"].get("maxAge") == age:
                    break
                time.sleep(0.005)
            times.append(time.perf_counter() - declared)
            time.sleep(0.5)
        over.set()
        for thread in floods:
            thread.join()
        ended = guard.process.poll()
        for stream in guard.held:
            stream.close()
        _, figures = guard.get("/metrics")
        peak = cgroup.peak() / (1 << 20)
        guard.process.kill()
        guard.process.wait()
        cgroup.remove()
        times.sort()
        writes.sort()
        median, late = statistics.median(times), times[int(len(times) * 0.99)]
        if ended is not None:
            failed.append(f"the guard ended with {ended}")
        if late > 1:
            failed.append(f"99 of 100 declarations were live within {late:.2f} s")
        print(f"{seconds} s, {LIMIT >> 20} MiB; floods: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
        print(f"peak of the cgroup {peak:.1f} MiB")
        print(f"{len(times)} declarations of a quiet tenant live within {median * 1000:.0f} ms (median), {late * 1000:.0f} ms "
              f"(99th percentile), {times[-1] * 1000:.0f} ms (maximum)")
        print(f"that tenant's own writes, in which the guard has no part: {statistics.median(writes) * 1000:.0f} ms (median), "
              f"{writes[int(len(writes) * 0.99)] * 1000:.0f} ms (99th percentile)")
        print("\n".join(line for line in figures.splitlines() if not line.startswith("#") and "bucket" not in line))
    for reason in failed:
        print(f"bench: {reason}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 600))
