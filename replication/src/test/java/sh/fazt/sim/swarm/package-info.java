/**
 * Whole nodes in the simulated world: the membership and the sync that ship, on replicas in memory and on real
 * cartridges, under every fault, with clients whose history is checked. For tests only; confined to the thread that
 * runs the world.
 */
@NullMarked
package sh.fazt.sim.swarm;

import org.jspecify.annotations.NullMarked;
