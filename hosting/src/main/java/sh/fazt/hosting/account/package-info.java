/**
 * The owner's account and sessions. Called on {@code api} threads; blocking.
 */
@NullMarked
package sh.fazt.hosting.account;

import org.jspecify.annotations.NullMarked;
