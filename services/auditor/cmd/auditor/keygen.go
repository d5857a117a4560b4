package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

func keygenCommand() *cobra.Command {
	var name, out string
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key for the notary",
		Long: `Make a key for the notary: the secret key in a file that its owner alone can read, and the public
key beside it, which is also printed: k2.key and k2.pub by --out k2.key. No file is ever written
over.

The notary in the persister signs with the secret key (setting notary.key); keep it away from
everybody else, and keep a copy. The public key is what others check proofs with: hand it to them
by a way on which nobody can exchange it. A standalone makes its own key.`,
		Example: `  auditor keygen --name chat.example.com --out notary.key
  TIDEMARK_NOTARY_KEY=notary.key persister`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, path := range []string{out, notary.PublicPath(out)} {
				if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
					return could(errors.Join(err, fmt.Errorf("%s is there already: give another name with --out, or move it away", path)))
				}
			}
			key, err := notary.EnsureKey(out, name)
			if err != nil {
				return could(err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s holds the secret key, %s the public one:\n", out, notary.PublicPath(out))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), key.Public)
			return could(err)
		},
	}
	cmd.Flags().StringVar(&name, "name", "tidemark", "`name` of the notary, which its checkpoints begin with; letters and digits, and . _ / - within")
	cmd.Flags().StringVar(&out, "out", "notary.key", "`file` to make; the public key goes beside it: k2.pub for k2.key")
	return cmd
}
