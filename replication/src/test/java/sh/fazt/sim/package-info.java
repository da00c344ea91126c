/**
 * The simulated world: virtual time, seeded chance, nodes that crash and pause, a network that loses, cuts
 * and delays. For tests only; everything happens on the thread that calls {@code SimWorld.run}, so that one
 * seed gives one history.
 */
@NullMarked
package sh.fazt.sim;

import org.jspecify.annotations.NullMarked;
