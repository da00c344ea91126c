/**
 * Nashorn. Loaded only by {@link sh.fazt.runtime.sandbox.SandboxLoader}; the door is {@code NashornEngine}, reached
 * through {@link sh.fazt.runtime.engine.Engines}. {@code Inside} is what instrumented classes call.
 */
@NullMarked
package sh.fazt.runtime.engine.nashorn;

import org.jspecify.annotations.NullMarked;
