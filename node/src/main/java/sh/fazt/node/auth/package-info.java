/**
 * Who asks: sessions in cookies, the run file's token. Runs on {@code api-N} threads.
 */
@NullMarked
package sh.fazt.node.auth;

import org.jspecify.annotations.NullMarked;
