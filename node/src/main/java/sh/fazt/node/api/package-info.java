/**
 * The control plane's REST surface on the admin host. Runs on {@code api-N} threads.
 */
@NullMarked
package sh.fazt.node.api;

import org.jspecify.annotations.NullMarked;
