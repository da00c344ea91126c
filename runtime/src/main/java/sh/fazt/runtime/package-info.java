/**
 * Runs the server-side JavaScript of apps. {@link sh.fazt.runtime.Runtime} is the door: it checks a bundle before it
 * is deployed and answers requests by running {@code api/main.js} under a budget. Called by {@code node} from any
 * thread; never blocks the caller except in {@code check}. Scripts run on the runtime's own {@code js-N} threads.
 */
@NullMarked
package sh.fazt.runtime;

import org.jspecify.annotations.NullMarked;
