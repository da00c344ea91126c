/**
 * The {@code fazt} command: a table of commands, a parser, a plain-socket client of the node's REST
 * surface. Starts like a native tool, so it stays off heavy libraries. Imports nothing of the node; only
 * {@code server start} launches it, by name. Everything runs on the main thread.
 */
@NullMarked
package sh.fazt.cli;

import org.jspecify.annotations.NullMarked;
