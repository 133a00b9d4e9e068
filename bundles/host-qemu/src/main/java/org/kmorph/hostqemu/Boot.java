// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.host.HostException;
import org.kmorph.kernelimage.ImageException;
import org.kmorph.kernelimage.Initramfs;
import org.kmorph.kernelimage.KernelModules;
import org.kmorph.kernelimage.KernelPayload;
import org.kmorph.kernelimage.KernelRelease;

/**
 * What a kernel boots with.
 *
 * @param agent the program
 * @param cache a directory for kernels that were unpacked
 * @param fetched where {@code ./kmorph kernels} puts what it fetches
 */
record Boot(Path agent, Path cache, Path fetched) {
    /** The link's module, and the device that tells of a panic. */
    private static final List<String> MODULES = List.of("kerf_vsock", "pvpanic_pci");

    private static final List<String> WITH_NETWORK = List.of("kerf_vsock", "pvpanic_pci", "virtio_pci", "virtio_net");

    String release(Path kernel) throws HostException {
        try {
            return KernelRelease.of(kernel);
        } catch (ImageException e) {
            throw new HostException(e.getMessage(), e);
        } catch (IOException e) {
            throw new HostException("kernel " + kernel + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** The kernel as QEMU starts it soonest: unpacked. */
    Path kernel(Path image) throws HostException {
        try {
            return KernelPayload.vmlinux(image, Files.createDirectories(cache));
        } catch (ImageException e) {
            throw new HostException(e.getMessage(), e);
        } catch (IOException e) {
            throw new HostException("kernel " + image + " cannot be unpacked into " + cache + ": " + e.getMessage(), e);
        }
    }

    /** The modules that an instance of this kernel needs. @param networked whether it has a network card */
    Map<String, byte[]> modules(Path image, boolean networked) throws HostException {
        String release = release(image);
        List<Path> places = new ArrayList<>();
        Optional.ofNullable(image.toAbsolutePath().getParent())
                .filter(beside -> Files.isDirectory(beside.resolve("modules")))
                .ifPresent(places::add);
        places.add(fetched.resolve(release));
        places.add(Path.of("/lib/modules", release));
        try {
            return new KernelModules(places.stream()
                            .flatMap(place -> List.of(place, place.resolve("modules")).stream())
                            .toList())
                    .load(networked ? WITH_NETWORK : MODULES, name -> missing(name, release, places));
        } catch (ImageException e) {
            throw new HostException(e.getMessage(), e);
        } catch (IOException e) {
            throw new HostException("the modules of kernel " + release + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String missing(String name, String release, List<Path> places) {
        String where = String.join(", ", places.stream().map(Path::toString).toList());
        return "kernel " + release + " has no module " + name + " in " + where + "; "
                + (name.equals("kerf_vsock")
                        ? "./kmorph kernels builds it for the kernels that it fetches, dkms for one that is installed (kernel/kerf-vsock)"
                        : "it is part of the package linux-image-" + release
                                + ", and of what ./kmorph kernels fetches");
    }

    /** Writes the initramfs. */
    void initramfs(Path to, Path image, Optional<Path> given, boolean networked) throws HostException {
        Map<String, byte[]> modules = modules(image, networked);
        try {
            Initramfs.write(to, agent, modules, given);
        } catch (ImageException e) {
            throw new HostException(e.getMessage(), e);
        } catch (IOException e) {
            throw new HostException("the initramfs cannot be written to " + to + ": " + e.getMessage(), e);
        }
    }
}
