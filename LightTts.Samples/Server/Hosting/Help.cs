namespace LightTts.Samples.Server.Hosting;

/// <summary>What <c>--help</c> says.</summary>
internal static class Help
{
    public const string Text = """
        Speaks over HTTP: the routes of LightTTS and of OpenAI's speech API, and a page to try them.
        Without options: the embedded voice, at http://localhost:8080.

          --host HOST                localhost (the default), 0.0.0.0 for all addresses, or an address
          --port N                   8080 is the default, 0 takes a free one
          --admin_port N             the admin routes, on the loopback only; by default there are none
          --model_dir DIR            a CosyVoice2 or CosyVoice3 model directory
          --data_type TYPE           float32, bfloat16 or float16
          --running_max_req_size N   requests that are spoken at once
          --cache_capacity N         learnt voices that are kept
          --max_total_token_num N    places of the language model's cache
          --graph_max_batch_size N   rows of a step of the language model
          --SECTION:NAME VALUE       any setting of the sections Server and LightTts, such as --Server:MaxTextLength 500

        Settings may stand in appsettings.json or the environment, too (Server__Port=80). LightTTS's other options are taken and have no
        meaning here; the log says why.
        """;

    public static bool IsAskedFor(string[] args) => args.Any(arg => arg is "--help" or "-h" or "-?" or "/?");
}
