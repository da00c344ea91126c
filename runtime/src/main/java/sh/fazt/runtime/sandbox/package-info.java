/**
 * Keeps scripts inside their budget and out of Java: the class loader that instruments the engine, the meter that the
 * instrumented code polls, and the watchdog that looks at the meters. Public types are public because instrumented
 * classes call them; the room's callers are {@code sh.fazt.runtime} and {@code sh.fazt.runtime.engine}.
 */
@NullMarked
package sh.fazt.runtime.sandbox;

import org.jspecify.annotations.NullMarked;
