/**
 * Finds and compiles what {@code require} asks for. Pure apart from reading the release; called on {@code js-N} threads.
 */
@NullMarked
package sh.fazt.runtime.module;

import org.jspecify.annotations.NullMarked;
