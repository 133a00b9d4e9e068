// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Seeds of worlds in which something was wrong, and what: each fails again when that is undone. */
class SeedsTest {
    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    463  | a daemon killed while it undoes a start: the next one fences the rest and gives it to nobody
                    183  | what could not be recorded, as on a full disk, is not tried again: STARTING for ever
                    99   | a daemon killed between two records of a failed adoption: the next one fences a healthy kernel
                    74   | a resumption that cannot be recorded is given up
                    3805 | a start whose undoing is interrupted by the update of recovery: RELEASING for ever
                    97   | a registry that was replaced throws into whoever tells it something
                    8    | an agent that has forgotten the connection: AGENT_DEAD for ever
                    1551 | kernels that died together without a word: the monitor suspects itself for ever
                    57   | a daemon killed while a start waits: the next one does not wait
                    70   | the pace of recoveries forgotten by a daemon that was started again
                    881  | an update of recovery does not wait for a record that is being written: the failed one is healed twice
                    3775 | the same, with a recovery that a person has asked for: it stands still for ever
                    1626 | a person terminates what is being recovered: the memory of an instance is read that was given back
                    3995 | a person has what is HELD in the middle of its release recovered: the same
                    5194 | a standby that was respawned is made to run the workload that it is to hold back: two owners
                    5013 | a morph whose end finds no room in the journal stays open, and what dies is not healed, for ever
                    5176 | a new kernel that is HELD when the daemon is started again does not get the name
                    5047 | an old kernel that the morph has fenced keeps the name
                    5092 | an old kernel that could not be terminated at once is left over
                    5029 | a cold morph that was prepared does not expire
                    5072 | a morph of what is being recovered, by a client that has stopped: it waits for ever
                    5212 | a morph that is rolled back while its target is spawned leaves that behind
                    5427 | a state that nobody could take over: the morph stays open, and nothing is healed
                    5186 | an old kernel fenced by a morph that then fails: nobody heals it
                    8510 | the same, when the old kernel cannot be fenced at once for the disk is full
                    5014 | a cold morph whose daemon died before it told the old kernel: that is fenced, though it is well
                    8400 | the same, when the client is replaced at that moment
                    7808 | an instance is terminated while it is morphed: its new kernel is left over
                    8177 | an old kernel is fenced by the daemon that was killed, and the morph rolled back by the next: nobody heals it
                    9986 | what has the name by now is fenced in place of the old kernel
                    9072 | another morph gives up the old kernel while the workload has not begun on the new one
                    10220 | state that comes through the daemon stops coming: the morph stays in its round, and nothing is healed
                    100697 | a morph that waits, prepared, in a bundle that was closed throws into its timer
                    101943 | a morph bundle that is replaced while it waits for the instances throws when it goes on
                    108699 | the agent of who took over dies on a kernel that lives: the recovery gives up
                    159326 | another morph is asked for twice while the old kernel of the last cannot be removed: that is left over
                    162228 | a person terminates who takes over, before its agent could be told: the recovery gives up
                    284095 | who took over fails before it could be told, and is well again when nobody knows that any more: its work is held back for ever
                    288535 | a new kernel that the registry is removing is told to run the workload: nobody does when that is done
                    112297 | an old kernel that has released cannot be fenced at once for the disk is full: nobody does its work
                    502548 | a roll-back that the old kernel does not hear, for the client is just replaced, is not tried again: BUSY for ever
                    504237 | what has the name by now is fenced in place of a new kernel that somebody has ended
                    506828 | a new kernel that has given the name back is fenced for healing: nobody ever removes it
                    503102 | a workload that ended before it began, while the old kernel cannot be fenced for certain: RUNNING, and nobody heals it
                    507873 | the same, when not all that the old kernel had could be given back
                    609975 | what a person terminates is healed, for it was morphed once; and memory is read of what was given back in part
                    715302 | the simulator: an agent that is another one by then answers what the former was asked
                    813178 | the same, when the new kernel is silent after the old one was removed: nobody asks it again
                    2005909 | a person ends an instance whose morph has released, and gives its name to another: two owners
                    2104545 | the same: the new kernel begins from a copy that is stale by then
                    2027396 | the same: the morph takes the other for its old kernel, and ends it
                    707711 | the judge: a new kernel stirs between two tries to fence it, of which the first could not be confirmed
                    2101187 | a recovery and a morph that begin in the same moment, on a slow disk, both look before the other is recorded
                    2007392 | what was to take over cannot be started, nor fenced for certain: the judge takes that for given up without need
                    2110959 | a recovery left to a morph by a daemon that is killed before it hears so: the judge takes the next for a second
                    2300637 | a morph that is over while a record of it is being written, on a slow disk: that opens it anew, for ever
                    2336446 | an agent that has let go dies before it says so, and the next knows of nothing: that is taken for a refusal
                    2358545 | the judge: what a person has spawned between two starts that failed, and what died unseen, is the last of five
                    """)
    void whatWasFoundOnceIsNotThereAgain(long seed, String what) {
        World.Result result = new World(seed, Wiring.plain(), false, line -> {}).run();
        assertThat(result.failure()).as(what).isEmpty();
    }
}
