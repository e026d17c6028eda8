/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words and lists of words (src/mta/text.c). What stands between the words of a
 * list is as postconf(5) says of list parameters: commas and white space, any
 * number of them, and a value goes on over lines.
 */
#include "tests/harness.h"

#include "mta/text.h"

START_TEST(words_of_a_list)
{
	const char *at = " ,a.example\t[b.example]:25\r\n ,, c,";
	size_t length;
	const char *word = mta_text_word(&at, &length);

	ck_assert_uint_eq(length, 9);
	ck_assert_mem_eq(word, "a.example", 9);
	word = mta_text_word(&at, &length);
	ck_assert_uint_eq(length, 14);
	ck_assert_mem_eq(word, "[b.example]:25", 14);
	word = mta_text_word(&at, &length);
	ck_assert_uint_eq(length, 1);
	ck_assert_int_eq(*word, 'c');
	ck_assert_ptr_null(mta_text_word(&at, &length));
	ck_assert_uint_eq(length, 0);
	ck_assert_ptr_null(mta_text_word(&at, &length));
}
END_TEST

START_TEST(a_list_names_whole_words_in_any_case)
{
	ck_assert(mta_text_lists("deferred, Defer", "defer"));
	ck_assert(mta_text_lists("\ndeferred\ndefer\n", "DEFER"));
	ck_assert(!mta_text_lists("deferred, incoming", "defer"));
	ck_assert(!mta_text_lists("def", "defer"));
	ck_assert(!mta_text_lists("", "defer"));
	ck_assert(!mta_text_lists(" , ", ""));
}
END_TEST

START_TEST(only_letters_of_ascii_change_case)
{
	ck_assert_int_eq(mta_text_lower('Z'), 'z');
	ck_assert_int_eq(mta_text_lower('['), '[');
	ck_assert_int_eq(mta_text_lower('@'), '@');
	ck_assert(mta_text_is("Example.ORG, x", 11, "example.org"));
	ck_assert(!mta_text_is("example.org", 10, "example.org"));
}
END_TEST

Suite *
text_suite(void)
{
	Suite *s = suite_create("words");
	TCase *t = tcase_create("words");

	tcase_add_test(t, words_of_a_list);
	tcase_add_test(t, a_list_names_whole_words_in_any_case);
	tcase_add_test(t, only_letters_of_ascii_change_case);
	suite_add_tcase(s, t);
	return s;
}
