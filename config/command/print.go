package command

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
)

// configCommand prints the settings of the sections.
func configCommand(sections []string) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print every setting with its value, default, source and meaning",
		Args: func(cmd *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return fmt.Errorf("--format %q is not allowed, it must be table or json", format)
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := Load(cmd)
			if err != nil {
				return err
			}
			rows := cfg.Settings(sections...)
			if format == "json" {
				return printJSON(cmd.OutOrStdout(), rows)
			}
			return printTable(cmd.OutOrStdout(), rows)
		},
	}
	cmd.Flags().StringVar(&format, "format", "table", "`form` of the output: table or json")
	return cmd
}

func printJSON(w io.Writer, rows any) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(rows)
}

func printTable(w io.Writer, rows []config.Setting) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "KEY\tVALUE\tDEFAULT\tSOURCE\tENVIRONMENT\tMEANING")
	for _, r := range rows {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Key, visible(r.Value), visible(r.Default), r.Source, r.Env, r.Meaning)
	}
	return out.Flush()
}

func printCheckedTable(w io.Writer, all []checked) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range all {
		fmt.Fprintf(out, "%s\t%s\t%s\n", c.Status, c.Name, c.Text)
	}
	return out.Flush()
}

// visible keeps an empty cell from looking like a missing one.
func visible(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
