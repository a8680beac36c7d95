"""Editions: the list as machines and people get it: tables, a workbook, and one offline page, in two languages."""
