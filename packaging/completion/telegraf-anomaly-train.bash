# Completion of commands and flags, from what the program says of itself.
_telegraf_anomaly_train() {
	local current=${COMP_WORDS[COMP_CWORD]} command=
	COMPREPLY=()
	if ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} != -* ]]; then
		command=${COMP_WORDS[1]}
	fi
	if [[ $current == -* ]]; then
		COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" $command --help 2> /dev/null | grep -oE '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,')" -- "$current"))
	elif [[ -z $command ]]; then
		COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" --help 2> /dev/null | sed -n '/^Commands:/,$s/^  \([a-z]\{1,\}\)  .*/\1/p')" -- "$current"))
	else
		COMPREPLY=($(compgen -f -- "$current"))
	fi
}
complete -o filenames -F _telegraf_anomaly_train telegraf-anomaly-train
