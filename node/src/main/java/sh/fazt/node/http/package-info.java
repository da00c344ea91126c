/**
 * HTTP/1.1 on Netty: connections, limits, bodies, replies. Knows nothing of hosts and apps. The {@code http-N}
 * threads never block: what may take time is handed to the {@code api-N} executor.
 */
@NullMarked
package sh.fazt.node.http;

import org.jspecify.annotations.NullMarked;
