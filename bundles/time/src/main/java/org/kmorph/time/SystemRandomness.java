// SPDX-License-Identifier: Apache-2.0
package org.kmorph.time;

import java.security.SecureRandom;
import java.util.SplittableRandom;
import org.kmorph.api.time.Randomness;
import org.osgi.service.component.annotations.Component;

/**
 * A fast generator, seeded once by the kernel's. For jitter and identifiers that must differ, not for secrets: who sees a few
 * values can tell the next.
 */
@Component
public final class SystemRandomness implements Randomness {
    private final SplittableRandom random = new SplittableRandom(new SecureRandom().nextLong());

    @Override
    public synchronized long nextLong() {
        return random.nextLong();
    }
}
