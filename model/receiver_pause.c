/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * M-RECEIVER-PAUSE: answers that a server holds back on purpose, from clients
 * that name many recipients or make many errors. A pause is silence before the
 * answer; one that is longer than the client waits is a timeout, which is for
 * who asks to find. The only state is the count of errors in the connection.
 */
#include "model/receiver_private.h"

int64_t
receiver_answer_pause(const struct receiver_config *config,
		      const struct receiver_conn *conn)
{
	const struct receiver_errors *errors = &config->errors;

	return conn->errors > errors->after ? errors->pause_us : 0;
}

int64_t
receiver_recipient_pause(const struct receiver_config *config,
			 const struct receiver_conn *conn, uint32_t i)
{
	const struct receiver_tarpit *tarpit = &config->tarpit;

	return receiver_answer_pause(config, conn) +
	       (i >= tarpit->after ? tarpit->pause_us : 0);
}

bool
receiver_is_fed_up(const struct receiver_config *config,
		   const struct receiver_conn *conn)
{
	int64_t most = config->errors.most;

	return most > 0 && conn->errors >= most;
}
