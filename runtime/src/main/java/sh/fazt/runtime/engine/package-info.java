/**
 * The engine behind an interface: realms that run one app's scripts. {@link sh.fazt.runtime.engine.Engines} starts the
 * one we have, Nashorn, inside the sandbox's class loader; nothing else in the process sees a Nashorn type.
 * Called by {@code sh.fazt.runtime} on {@code js-N} threads.
 */
@NullMarked
package sh.fazt.runtime.engine;

import org.jspecify.annotations.NullMarked;
