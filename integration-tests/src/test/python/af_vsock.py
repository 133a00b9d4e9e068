#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""af_vsock.py JAVA_HOME CLASSES JAR...: transport-vsock over AF_VSOCK, on a JVM in a guest whose kernel is 6.12.

First within the guest, over the kernel's vsock_loopback; then as the host of another guest, of kernel 6.1, over kerf-vsock.ko.
VsockInGuest does the work; this program boots, starts, kills, and says what was found. Needs what ./kmorph kernels --tests fetches.
"""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../../../kernel/kerf-vsock/tests"))
from guests import Failure, Rig, modules_of, wait_for  # noqa: E402

MAIN = "org.kmorph.it.kernels.guest.VsockInGuest"
JAVA = "/jre/bin/java -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:off"
MEMORY_MIB = 448  # the runtime and its archive, both in memory
HOST, INSTANCE = "6.12", "6.1"
INSTANCE_CID = 3
AT_ONCE_S = 2.0  # what a JVM under emulation takes to notice, and a shell to say it


def tree(archive, directory, where):
    for path, _, names in os.walk(directory):
        for name in names:
            source = os.path.join(path, name)
            archive.host_file(os.path.join(where, os.path.relpath(source, directory)), source)


def runtime(rig, java_home):
    """The JDK's modules that the transport needs, and no more."""
    made = os.path.join(rig.directory, "jre")
    subprocess.run([os.path.join(java_home, "bin/jlink"), "--add-modules", "java.base,java.logging,jdk.unsupported",
                    "--strip-debug", "--no-header-files", "--no-man-pages", "--output", made], check=True)
    return made


class Run:
    def __init__(self, java_home, classes, jars):
        self.classes, self.jars = classes, jars
        self.rig = Rig(self.add, MEMORY_MIB)
        self.jre = runtime(self.rig, java_home)
        self.failed = False

    def add(self, archive, kernel):
        if os.path.basename(kernel) != os.path.basename(os.path.realpath(os.path.join(os.path.dirname(kernel), HOST))):
            return
        tree(archive, self.jre, "jre")
        archive.libraries(os.path.join(self.jre, "bin/java"))
        for name in ("server/libjvm.so", "libjava.so", "libnio.so", "libnet.so", "libzip.so"):
            archive.libraries(os.path.join(self.jre, "lib", name))
        tree(archive, self.classes, "app/classes")
        for n, jar in enumerate(self.jars):
            archive.host_file(f"app/{n}.jar", jar)
        for name, content in modules_of(kernel, ["vsock_loopback"]).items():
            archive.file(f"lib/{name}.ko", content)

    def java(self, arguments):
        jars = ":".join(f"/app/{n}.jar" for n in range(len(self.jars)))
        return f"{JAVA} -cp /app/classes:{jars} {MAIN} {arguments}"

    def report(self, what, output):
        for line in output.splitlines():
            if line.startswith(("ok", "FAILED")):
                print(f"{line[:6]} {what}: {line[6:].strip()}", flush=True)
        if "FAILED" in output or "@end" not in output:
            self.failed = True
            print(f"FAILED {what}; all that it said:\n{output}", flush=True)

    def loopback(self, guest):
        guest.do("insmod /lib/vsock_loopback.ko")
        self.report("vsock_loopback", guest.ask(self.java("loopback") + " 2>&1", 180)[1])

    def nobody(self, guest):
        """kerf-vsock is there and its peer is not."""
        guest.load()
        self.report("kerf-vsock, no peer", guest.ask(self.java("nobody") + " 2>&1", 120)[1])

    def host(self, host, instance):
        instance.load()
        self.rig.wait_up()
        instance.background("socat VSOCK-LISTEN:6000,backlog=100,fork EXEC:cat", "socat")
        host.background(self.java("host"), "java")

        def said(what):
            output = host.output_of("java")
            return what in output or "FAILED" in output or "@end" in output

        wait_for("the JVM as host", lambda: said("@serving"), 120)
        if "@serving" in host.output_of("java"):
            self.connects_from(instance)
            instance.kill()
            self.rig.guests.remove(instance)
            start = time.monotonic()
            wait_for("the reset", lambda: said("ok     the peer's end"), 30)
            took = time.monotonic() - start
            print(f"{'ok    ' if took < AT_ONCE_S else 'FAILED'} kerf-vsock: a killed peer was noticed within {took:.1f} s", flush=True)
            self.failed |= took >= AT_ONCE_S
            wait_for("the JVM's end", lambda: said("@end"), 60)
        self.report("kerf-vsock", host.output_of("java"))

    def connects_from(self, instance):
        """The other direction: the JVM listens, a program of the instance comes."""
        instance.do("dd if=/dev/urandom of=/tmp/out bs=1000 count=700 2>/dev/null")
        status, output = instance.ask("socat -t 20 - VSOCK-CONNECT:2:7000 </tmp/out >/tmp/back; cmp /tmp/out /tmp/back", 120)
        print(f"{'FAILED' if status else 'ok    '} kerf-vsock: 700,000 bytes to the JVM that listens, and back {output}", flush=True)
        self.failed |= status != 0

    def run(self):
        try:
            host, instance = self.rig.boot(HOST, INSTANCE, load=False)
            self.loopback(host)
            self.nobody(host)
            self.host(host, instance)
            for guest in self.rig.guests:
                guest.check_log()
        except Failure as e:
            print(f"FAILED {e}", flush=True)
            self.failed = True
        finally:
            self.rig.close()
        return 1 if self.failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    sys.exit(Run(sys.argv[1], sys.argv[2], sys.argv[3:]).run())
