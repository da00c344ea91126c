/**
 * The few facts that the swarm agrees on: a Raft group over the links, its state in the cartridge. The only room
 * that knows Apache Ratis, whose sharp edges are in consensus.md. Called by the swarm's facade; what blocks runs on
 * the executor that it is given, never on {@code swarm}, {@code link} or {@code writer}.
 */
@NullMarked
package sh.fazt.consensus;

import org.jspecify.annotations.NullMarked;
